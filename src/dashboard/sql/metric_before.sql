-- The last eligible run of the series ($application, $metric) before the run $run_id at $time (ms), from the files $enriched: at most one row.
SELECT
  run_id,
  "value",
  status,
  higher_is_better,
  critical_threshold,
  warning_threshold,
  strftime(threshold_updated_at, '%Y-%m-%dT%H:%M:%S.%fZ') AS threshold_updated_at,
  threshold_updated_by
FROM read_parquet($enriched)
WHERE eligible AND application = $application AND metric_name = $metric
  AND (epoch_ms("timestamp"), run_id) < ($time, $run_id)
ORDER BY "timestamp" DESC, run_id DESC
LIMIT 1;
