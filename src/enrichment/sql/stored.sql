-- Makes `stored`: a row per run of `stored_rows` with the columns that `decide.sql` compares.
CREATE OR REPLACE TEMP TABLE stored AS
SELECT run_id, experiment_id, content_digest, lifecycle_stage, observed_at, asked_at
FROM stored_rows;
