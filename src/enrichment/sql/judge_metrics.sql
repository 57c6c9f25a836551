-- Makes `judged`: a row per run and metric of `active`, with the rule that applies and the status. A value equal to a limit gets
-- the better status. $rules: JSON, one row per experiment and metric.
CREATE OR REPLACE TEMP TABLE judged AS
WITH rules AS (
  SELECT unnest(
    from_json($rules, '[{
      "experiment_id": "VARCHAR", "metric_name": "VARCHAR", "display_name": "VARCHAR", "description": "VARCHAR",
      "unit": "VARCHAR", "category": "VARCHAR", "higher_is_better": "BOOLEAN", "critical_threshold": "DOUBLE",
      "warning_threshold": "DOUBLE", "threshold_source": "VARCHAR", "threshold_updated_at": "VARCHAR",
      "threshold_updated_by": "VARCHAR", "min_value": "DOUBLE", "max_value": "DOUBLE"
    }]'),
    recursive := true
  )
),
logged AS (
  SELECT run_id, experiment_id, unnest(metrics) AS metric FROM active
)
SELECT
  logged.run_id,
  rules.* EXCLUDE (experiment_id),
  CASE WHEN metric."value" = 'NaN'::DOUBLE THEN 'nan'
    WHEN metric."value" >= 1.7976931348623157e308 THEN 'inf'
    WHEN metric."value" <= -1.7976931348623157e308 THEN '-inf' END AS invalid_kind,
  CASE WHEN invalid_kind IS NULL THEN metric."value" END AS "value",
  metric.step AS step,
  -- MLflow accepts any integer as a time.
  CASE WHEN metric."timestamp" BETWEEN 0 AND 253402300799999
    THEN make_timestamp(metric."timestamp" * 1000)::TIMESTAMPTZ END AS metric_timestamp,
  metric.model_id AS model_id,
  metric.dataset_name AS dataset_name,
  CASE
    WHEN (critical_threshold IS NULL AND warning_threshold IS NULL) OR higher_is_better IS NULL THEN 'unmonitored'
    WHEN invalid_kind IS NOT NULL THEN 'invalid'
    WHEN CASE WHEN higher_is_better THEN metric."value" < critical_threshold ELSE metric."value" > critical_threshold END
      THEN 'critical'
    WHEN CASE WHEN higher_is_better THEN metric."value" < warning_threshold ELSE metric."value" > warning_threshold END
      THEN 'warning'
    ELSE 'healthy'
  END AS status
FROM logged
JOIN rules ON rules.experiment_id = logged.experiment_id AND rules.metric_name = logged.metric."key";
