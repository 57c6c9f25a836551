-- Returns a row per application in the part $part of $files and hour (its start, ms): the counts of the runs in the files $runs.
-- `children`: those that do not count because they are children of other runs.
SELECT
  application,
  epoch_ms(date_trunc('hour', "timestamp"))::DOUBLE AS hour,
  count(*) FILTER (eligible)::INTEGER AS total,
  count(*) FILTER (eligible AND status = 'critical')::INTEGER AS critical,
  count(*) FILTER (eligible AND status = 'invalid')::INTEGER AS invalid,
  count(*) FILTER (eligible AND status = 'warning')::INTEGER AS warning,
  count(*) FILTER (eligible AND status = 'healthy')::INTEGER AS healthy,
  count(*) FILTER (eligible AND status = 'unmonitored')::INTEGER AS unmonitored,
  count(*) FILTER (NOT ignored_child AND run_status IN ('RUNNING', 'SCHEDULED'))::INTEGER AS running,
  count(*) FILTER (eligible AND run_status IN ('FAILED', 'KILLED'))::INTEGER AS failed,
  count(*) FILTER (ignored_child)::INTEGER AS children,
  count(*) FILTER (ignored_child AND status = 'critical')::INTEGER AS critical_children
FROM judged_runs($runs, $count_nested_runs)
GROUP BY ALL
HAVING part_of(application, $files) = $part
ORDER BY hour, application;
