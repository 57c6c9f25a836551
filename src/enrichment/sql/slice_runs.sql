-- Returns a row per run of `facts`, sorted by run_id. `open`: later pipeline runs must fetch it again, as it is not finished or
-- has no time yet (`day` null).
SELECT
  run_id,
  experiment_id,
  CAST(day AS VARCHAR) AS day,
  len(metrics)::INTEGER AS metrics,
  lifecycle_stage = 'active' AND (day IS NULL OR run_status IN ('RUNNING', 'SCHEDULED')) AS open
FROM facts
ORDER BY run_id;
