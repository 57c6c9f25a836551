-- Writes to $file what was known at $now (ms) of the runs of the base object $source: the columns that the lights and the
-- alerts need.
COPY (
  SELECT
    run_id,
    CASE WHEN known_runs.ended_at <= $now THEN run_status ELSE 'RUNNING' END AS run_status,
    "timestamp",
    CASE WHEN known_runs.ended_at <= $now THEN end_time END AS end_time,
    make_timestamp(known_runs.observed_at * 1000)::TIMESTAMPTZ AS first_observed_at,
    list_filter(metrics, lambda m: m."timestamp" <= $now) AS metrics
  FROM read_parquet($source)
  JOIN known_runs USING (run_id)
  WHERE known_runs.running_at <= $now
) TO $file (FORMAT parquet);
