-- Returns a row per application of the day: its runs that are not children, and the time of the newest one (ms).
SELECT application, count(*)::DOUBLE AS runs, epoch_ms(max("timestamp"))::DOUBLE AS newest
FROM day_runs
WHERE (eligible OR parent_run_id IS NULL) AND application IS NOT NULL
GROUP BY application
ORDER BY application;
