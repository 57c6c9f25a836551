-- One row: the number of eligible runs with metrics, and their first and last day.
SELECT
  count(DISTINCT run_id)::INTEGER AS runs,
  coalesce(min(date)::VARCHAR, '') AS first_day,
  coalesce(max(date)::VARCHAR, '') AS last_day
FROM read_parquet($files)
WHERE eligible
