-- Creates `known_runs` from the files $base: of each run its day and start (ms), since when (ms) a service could know that it runs (`running_at`)
-- and that it has ended (`ended_at`, null if it has not), and when it counts as first observed. A run that ended before the first observation in
-- these files, or was observed at most $late (ms) after its end, was known as soon as it ended; a late one as soon as it was observed.
CREATE OR REPLACE TEMP TABLE known_runs AS
WITH times AS (
  SELECT
    run_id,
    date::VARCHAR AS day,
    epoch_ms("timestamp") AS started,
    CASE WHEN run_status NOT IN ('RUNNING', 'SCHEDULED') THEN epoch_ms(coalesce(end_time, "timestamp")) END AS ended,
    epoch_ms(first_observed_at) AS observed,
    min(epoch_ms(first_observed_at)) OVER () AS begun
  FROM read_parquet($base)
),
judged AS (
  SELECT *, coalesce(ended >= begun AND observed - ended > $late, false) AS is_late FROM times
)
SELECT
  run_id,
  day,
  started,
  CASE WHEN is_late THEN observed ELSE started END AS running_at,
  CASE WHEN is_late THEN observed ELSE ended END AS ended_at,
  CASE WHEN is_late THEN observed ELSE least(observed, coalesce(ended, started)) END AS observed_at
FROM judged;
