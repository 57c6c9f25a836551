-- Of each application and metric with critical or invalid values in [$from, $to) (ms): the newest of those, from the eligible runs of the files
-- $enriched.
SELECT
  application,
  metric_name,
  display_name,
  unit,
  higher_is_better,
  "value",
  status,
  critical_threshold,
  warning_threshold,
  run_id,
  run_name,
  user_id,
  experiment_id,
  epoch_ms("timestamp")::DOUBLE AS "time"
FROM read_parquet($enriched)
WHERE eligible AND status IN ('critical', 'invalid')
  AND epoch_ms("timestamp") >= $from AND epoch_ms("timestamp") < $to
QUALIFY row_number() OVER (PARTITION BY application, metric_name ORDER BY "timestamp" DESC, run_id DESC) = 1
ORDER BY application, metric_name;
