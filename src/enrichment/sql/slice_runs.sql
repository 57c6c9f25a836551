-- A row per run of the slice that the rest of the service must hear of: those that are still open and those that need no further question.
-- Finished runs that were already known are left out only by the caller. `day` is null for a run without a time.
SELECT
  run_id,
  experiment_id,
  CAST(day AS VARCHAR) AS day,
  lifecycle_stage = 'active' AND (day IS NULL OR run_status IN ('RUNNING', 'SCHEDULED')) AS open
FROM facts
ORDER BY run_id;
