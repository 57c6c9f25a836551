-- Returns the runs of `shown_runs` that started before $before (ms) and have not ended, oldest first, at most $limit.
SELECT application, run_id, run_name, experiment_id, "time"
FROM shown_runs
WHERE run_status IN ('RUNNING', 'SCHEDULED') AND "time" < $before
ORDER BY "time", run_id
LIMIT $limit;
