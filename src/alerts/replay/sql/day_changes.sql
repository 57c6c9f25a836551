-- Per day the times (ms) at which `known_runs` changes, ascending, each moved to the next of the steps of $step (ms) from $from (ms) on; null for a
-- run that has not ended.
SELECT DISTINCT
  day,
  CASE WHEN ms <= $from THEN $from ELSE ms + ($step - (ms - $from) % $step) % $step END::DOUBLE AS "at"
FROM (
  SELECT day, running_at AS ms FROM known_runs
  UNION ALL
  SELECT day, ended_at AS ms FROM known_runs
)
ORDER BY day, "at";
