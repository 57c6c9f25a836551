-- Returns a row per batch of `merged_keys`, in order: its first and last run_id.
SELECT min(run_id) AS first, max(run_id) AS last
FROM merged_keys
GROUP BY batch
ORDER BY batch;
