-- Returns a row per metric of the run $run_id in `judged`. `metric_name` begins with ':': the Node binding drops a U+FEFF at the
-- beginning of a text.
SELECT
  ':' || metric_name AS metric_name, "value", invalid_kind, status, display_name, description, unit, category, higher_is_better,
  critical_threshold, warning_threshold, threshold_source, threshold_updated_at, threshold_updated_by
FROM judged
WHERE run_id = $run_id
ORDER BY judged.metric_name;
