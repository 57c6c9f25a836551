-- Creates `shown` without points.
CREATE OR REPLACE TEMP TABLE shown AS
SELECT
  NULL::BIGINT AS n,
  NULL::DOUBLE AS "time",
  NULL::DOUBLE AS "value",
  NULL::VARCHAR AS status,
  NULL::VARCHAR AS invalid_kind,
  NULL::DOUBLE AS moving_avg,
  NULL::DOUBLE AS forecast,
  NULL::DOUBLE AS critical_threshold,
  NULL::DOUBLE AS warning_threshold,
  NULL::VARCHAR AS run_id,
  NULL::VARCHAR AS run_name,
  NULL::VARCHAR AS experiment_id,
  NULL::VARCHAR AS user_id,
  NULL::VARCHAR AS model_id,
  NULL::VARCHAR AS dataset_name
WHERE false;
