-- Returns the runs in the files $runs that started before $before (ms) and have not ended, oldest first, at most $limit.
SELECT application, run_id, run_name, experiment_id, epoch_ms("timestamp")::DOUBLE AS "time"
FROM read_parquet($runs)
WHERE run_status IN ('RUNNING', 'SCHEDULED') AND epoch_ms("timestamp") < $before
ORDER BY "time", run_id
LIMIT $limit;
