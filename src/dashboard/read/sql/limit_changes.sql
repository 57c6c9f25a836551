-- The changes of limits in the files $changes, oldest first.
SELECT
  strftime("timestamp", '%Y-%m-%dT%H:%M:%S.%gZ') AS "at",
  metric_name,
  experiment_id,
  old_critical_threshold,
  old_warning_threshold,
  new_critical_threshold,
  new_warning_threshold,
  updated_by,
  runs_changed
FROM read_parquet($changes)
ORDER BY "timestamp", metric_name, experiment_id NULLS FIRST;
