-- One row per metric and application with at least $min_values valid values in eligible runs: their number, median and median
-- absolute deviation, and the experiments in which no other application has a run.
WITH metrics AS (
  SELECT metric_name, application, experiment_id, value
  FROM read_parquet($files)
  WHERE eligible AND value IS NOT NULL
),
own AS (
  SELECT experiment_id, any_value(application) AS application
  FROM metrics
  GROUP BY experiment_id
  HAVING count(DISTINCT application) = 1
)
SELECT
  metrics.metric_name,
  metrics.application,
  count(*)::INTEGER AS "values",
  median(metrics.value) AS median,
  mad(metrics.value) AS mad,
  to_json(coalesce(list_sort(list(DISTINCT own.experiment_id) FILTER (own.experiment_id IS NOT NULL)), []))::VARCHAR AS experiments
FROM metrics
LEFT JOIN own USING (experiment_id)
GROUP BY metrics.metric_name, metrics.application
HAVING count(*) >= $min_values
ORDER BY metrics.metric_name, metrics.application
