-- Returns a row per application with runs in the span [$from, $to) (ms) that do not count, from `shown_runs`: how many are
-- children of another run, how many of these are critical, and how many others have not ended.
SELECT
  application,
  count(*) FILTER (is_child)::INTEGER AS children,
  count(*) FILTER (is_child AND status = 'critical')::INTEGER AS critical_children,
  count(*) FILTER (NOT is_child)::INTEGER AS running
FROM (SELECT *, parent_run_id IS NOT NULL AND NOT $count_nested_runs AS is_child FROM shown_runs)
WHERE NOT eligible AND "time" >= $from AND "time" < $to
GROUP BY application
ORDER BY application;
