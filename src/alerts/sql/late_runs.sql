-- Creates `late_runs`: the ended runs of the files $base that were first observed more than $late (ms) after their end, and whether that was
-- after $observed (ms).
CREATE OR REPLACE TEMP TABLE late_runs AS
SELECT run_id, epoch_ms(first_observed_at) > $observed AS is_new
FROM read_parquet($base)
WHERE run_status NOT IN ('RUNNING', 'SCHEDULED')
  AND epoch_ms(first_observed_at) - epoch_ms(coalesce(end_time, "timestamp")) > $late;
