-- Makes the view `stored_rows` without rows: the columns of a base object.
CREATE OR REPLACE TEMP VIEW stored_rows AS
SELECT
  NULL::DATE AS date,
  NULL::TIMESTAMPTZ AS "timestamp",
  NULL::VARCHAR AS run_id,
  NULL::VARCHAR AS run_name,
  NULL::VARCHAR AS experiment_id,
  NULL::VARCHAR AS user_id,
  NULL::VARCHAR AS run_status,
  NULL::TIMESTAMPTZ AS start_time,
  NULL::TIMESTAMPTZ AS end_time,
  NULL::VARCHAR AS lifecycle_stage,
  NULL::MAP(VARCHAR, VARCHAR) AS params,
  NULL::MAP(VARCHAR, VARCHAR) AS tags,
  NULL::VARCHAR AS inputs,
  NULL::STRUCT("key" VARCHAR, "timestamp" BIGINT, step BIGINT, "value" DOUBLE, model_id VARCHAR, dataset_name VARCHAR, dataset_digest VARCHAR)[] AS metrics,
  NULL::VARCHAR AS content_digest,
  NULL::TIMESTAMPTZ AS observed_at,
  NULL::TIMESTAMPTZ AS asked_at,
  NULL::TIMESTAMPTZ AS first_observed_at,
  NULL::TIMESTAMPTZ AS changed_at
WHERE false;
