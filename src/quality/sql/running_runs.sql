-- Returns the runs of `day_runs` that have not ended and when they started (ms), the oldest 1,000.
SELECT run_id, application, experiment_id, epoch_ms(coalesce(start_time, "timestamp"))::DOUBLE AS started
FROM day_runs
WHERE run_status = 'RUNNING' AND run_id IS NOT NULL AND application IS NOT NULL AND experiment_id IS NOT NULL
ORDER BY started, run_id
LIMIT 1000;
