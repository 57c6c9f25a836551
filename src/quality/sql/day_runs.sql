-- Returns a row per application of the day: its runs without children that do not count, and the time of the newest one (ms).
SELECT application, count(*)::DOUBLE AS runs, epoch_ms(max("timestamp"))::DOUBLE AS newest
FROM day_runs
WHERE (eligible OR NOT coalesce(ignored_child, parent_run_id IS NOT NULL)) AND application IS NOT NULL
GROUP BY application
ORDER BY application;
