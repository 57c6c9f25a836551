-- One row per metric of eligible runs, of $metrics of $application or of all (application ''): its number of values, and their quantiles
-- over the valid ones.
SELECT
  metric_name,
  count(value)::INTEGER AS "values",
  (count(*) - count(value))::INTEGER AS invalid,
  min(value) AS min,
  quantile_cont(value, 0.01) AS q01,
  quantile_cont(value, 0.05) AS q05,
  quantile_cont(value, 0.5) AS median,
  quantile_cont(value, 0.95) AS q95,
  quantile_cont(value, 0.99) AS q99,
  max(value) AS max,
  mad(value) AS mad
FROM read_parquet($files)
WHERE eligible AND ($application = '' OR (application = $application AND list_contains($metrics, metric_name)))
GROUP BY metric_name
HAVING count(value) > 0
ORDER BY metric_name
