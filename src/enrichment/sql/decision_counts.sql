-- Returns a row per decision in `decided`: how many runs it has, and of how many of them the stored row is ahead.
SELECT
  decision,
  count(*)::INTEGER AS runs,
  count(*) FILTER (stored_is_ahead)::INTEGER AS stored_ahead
FROM decided
GROUP BY decision;
