-- The metrics of the run $run_id from the files $enriched, the worst first, then by name: at most $limit.
SELECT
  metric_name AS name,
  display_name,
  unit,
  status,
  "value",
  invalid_kind,
  higher_is_better,
  critical_threshold,
  warning_threshold,
  step::DOUBLE AS step,
  model_id,
  dataset_name,
  strftime(threshold_updated_at, '%Y-%m-%dT%H:%M:%S.%fZ') AS threshold_updated_at,
  threshold_updated_by
FROM read_parquet($enriched)
WHERE run_id = $run_id
ORDER BY list_position(['critical', 'invalid', 'warning', 'healthy', 'unmonitored'], status), metric_name
LIMIT $limit;
