-- Per run of $run_ids with children in $application: their number, by state in MLflow and by status, and how many of them do not count
-- because they are children (`ignored`), from the files $runs.
SELECT
  parent_run_id AS run_id,
  count(*)::INTEGER AS total,
  count(*) FILTER (run_status IN ('RUNNING', 'SCHEDULED'))::INTEGER AS running,
  count(*) FILTER (run_status IN ('FAILED', 'KILLED'))::INTEGER AS failed,
  count(*) FILTER (status = 'critical')::INTEGER AS critical,
  count(*) FILTER (status = 'invalid')::INTEGER AS invalid,
  count(*) FILTER (status = 'warning')::INTEGER AS warning,
  count(*) FILTER (status = 'healthy')::INTEGER AS healthy,
  count(*) FILTER (status = 'unmonitored')::INTEGER AS unmonitored,
  -- Files of older releases do not say which children count; those that do are eligible.
  count(*) FILTER (ignored_child AND NOT eligible)::INTEGER AS ignored
FROM judged_runs($runs, false)
WHERE application = $application AND parent_run_id IN (SELECT unnest($run_ids))
GROUP BY parent_run_id
ORDER BY run_id;
