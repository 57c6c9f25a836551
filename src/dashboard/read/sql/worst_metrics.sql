-- Per run of $run_ids with a judged metric: the worst one, of several the first by name, from the files $enriched of $application.
SELECT
  run_id,
  metric_name AS name,
  display_name,
  unit,
  status,
  "value",
  invalid_kind,
  higher_is_better,
  critical_threshold,
  warning_threshold
FROM read_parquet($enriched)
WHERE application = $application AND status <> 'unmonitored' AND run_id IN (SELECT unnest($run_ids))
QUALIFY row_number() OVER (
  PARTITION BY run_id
  ORDER BY list_position(['critical', 'invalid', 'warning', 'healthy'], status), metric_name
) = 1
ORDER BY run_id;
