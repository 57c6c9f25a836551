-- Creates an empty `late_runs`.
CREATE OR REPLACE TEMP TABLE late_runs (run_id VARCHAR, is_new BOOLEAN);
