-- The eligible runs of the series ($applications[i], $metrics[i]) in [$from, $to) (ms), oldest first, from the files $enriched.
WITH wanted AS (
  SELECT unnest($applications) AS application, unnest($metrics) AS metric_name
)
SELECT
  application,
  metric_name,
  epoch_ms("timestamp")::DOUBLE AS "time",
  run_id,
  run_name,
  user_id,
  experiment_id,
  "value",
  status,
  invalid_kind,
  display_name,
  unit,
  higher_is_better,
  critical_threshold,
  warning_threshold,
  strftime(threshold_updated_at, '%Y-%m-%dT%H:%M:%S.%fZ') AS threshold_updated_at,
  threshold_updated_by,
  model_id,
  dataset_name
FROM read_parquet($enriched)
JOIN wanted USING (application, metric_name)
WHERE eligible AND epoch_ms("timestamp") >= $from AND epoch_ms("timestamp") < $to
ORDER BY application, metric_name, "timestamp", run_id;
