-- Returns a row per run of `parsed` that can be read and has no start time: its first end time (ms; null if it has none).
SELECT run_id, min(end_ms)::DOUBLE AS ms
FROM parsed
WHERE reason IS NULL AND start_ms IS NULL
GROUP BY run_id
ORDER BY run_id;
