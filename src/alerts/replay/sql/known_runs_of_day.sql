-- Writes to $file what was known at $now (ms) of the object $source of `runs`: runs that had not ended are running, and not judged.
COPY (
  SELECT source.* REPLACE (
    CASE WHEN known_runs.ended_at <= $now THEN run_status ELSE 'RUNNING' END AS run_status,
    CASE WHEN known_runs.ended_at <= $now THEN end_time END AS end_time,
    eligible AND coalesce(known_runs.ended_at <= $now, false) AS eligible
  )
  FROM read_parquet($source) AS source
  JOIN known_runs USING (run_id)
  WHERE known_runs.running_at <= $now
) TO $file (FORMAT parquet);
