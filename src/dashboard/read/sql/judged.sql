-- Creates `judged`: the eligible runs of $application in [$from, $to) (ms) and their metrics (only $metric, unless it is '') from the
-- files $enriched. `n` orders the runs of a metric by time, of equal times by run_id, as the files do.
CREATE OR REPLACE TEMP TABLE judged AS
SELECT
  row_number() OVER () AS n,
  metric_name,
  epoch_ms("timestamp")::DOUBLE AS "time",
  run_id,
  run_name,
  experiment_id,
  "value",
  status,
  invalid_kind,
  display_name,
  description,
  unit,
  higher_is_better,
  critical_threshold,
  warning_threshold,
  threshold_source,
  threshold_updated_at,
  threshold_updated_by
FROM read_parquet($enriched)
WHERE application = $application AND eligible
  AND ($metric = '' OR metric_name = $metric)
  AND epoch_ms("timestamp") >= $from AND epoch_ms("timestamp") < $to;
