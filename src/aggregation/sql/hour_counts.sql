-- Returns a row per application in the part $part of $files and hour (its start, ms): the counts of the runs in the files $runs.
-- Child runs are included only if $count_nested_runs.
SELECT
  application,
  epoch_ms(date_trunc('hour', "timestamp"))::DOUBLE AS hour,
  count(*) FILTER (eligible)::INTEGER AS total,
  count(*) FILTER (eligible AND status = 'critical')::INTEGER AS critical,
  count(*) FILTER (eligible AND status = 'invalid')::INTEGER AS invalid,
  count(*) FILTER (eligible AND status = 'warning')::INTEGER AS warning,
  count(*) FILTER (eligible AND status = 'healthy')::INTEGER AS healthy,
  count(*) FILTER (eligible AND status = 'unmonitored')::INTEGER AS unmonitored,
  count(*) FILTER (run_status IN ('RUNNING', 'SCHEDULED'))::INTEGER AS running,
  count(*) FILTER (eligible AND run_status IN ('FAILED', 'KILLED'))::INTEGER AS failed
FROM read_parquet($runs)
WHERE parent_run_id IS NULL OR $count_nested_runs
GROUP BY ALL
HAVING part_of(application, $files) = $part
ORDER BY hour, application;
