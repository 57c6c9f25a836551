-- A row per application with a run that is no child in [$from, $to) (ms) of the files $runs: the counts of that span.
SELECT
  application,
  count(*) FILTER (eligible)::INTEGER AS total,
  count(*) FILTER (eligible AND status = 'critical')::INTEGER AS critical,
  count(*) FILTER (eligible AND status = 'invalid')::INTEGER AS invalid,
  count(*) FILTER (eligible AND status = 'warning')::INTEGER AS warning,
  count(*) FILTER (eligible AND status = 'healthy')::INTEGER AS healthy,
  count(*) FILTER (eligible AND status = 'unmonitored')::INTEGER AS unmonitored,
  count(*) FILTER (run_status IN ('RUNNING', 'SCHEDULED'))::INTEGER AS running,
  count(*) FILTER (eligible AND run_status IN ('FAILED', 'KILLED'))::INTEGER AS failed
FROM read_parquet($runs)
WHERE (parent_run_id IS NULL OR $count_nested_runs) AND epoch_ms("timestamp") >= $from AND epoch_ms("timestamp") < $to
GROUP BY application
ORDER BY application;
