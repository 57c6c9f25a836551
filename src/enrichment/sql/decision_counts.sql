-- Returns a row per experiment and decision in `decided`: how many runs it has, and of how many of them the stored row is ahead.
-- `gone`: MLflow no longer has the runs.
SELECT
  experiment_id,
  gone,
  decision,
  count(*)::INTEGER AS runs,
  count(*) FILTER (stored_is_ahead)::INTEGER AS stored_ahead
FROM decided
GROUP BY experiment_id, gone, decision
ORDER BY experiment_id, gone, decision;
