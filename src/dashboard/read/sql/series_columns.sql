-- The points of `shown`, by time.
SELECT
  "time",
  "value",
  status,
  invalid_kind,
  moving_avg,
  forecast,
  critical_threshold,
  warning_threshold,
  run_id,
  run_name,
  experiment_id,
  user_id,
  model_id,
  dataset_name
FROM shown
ORDER BY n;
