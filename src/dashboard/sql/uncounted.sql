-- Returns the numbers of child runs that do not count, and of those that are critical, from `shown_runs`: a row per application with such
-- runs in a span [$froms[i], $tos[i]) (ms, as texts). A span given twice counts once.
WITH spans AS (
  SELECT DISTINCT "from", "to"
  FROM (SELECT unnest($froms)::BIGINT AS "from", unnest($tos)::BIGINT AS "to")
)
SELECT
  application,
  spans."from"::DOUBLE AS "from",
  spans."to"::DOUBLE AS "to",
  count(*)::INTEGER AS children,
  count(*) FILTER (status = 'critical')::INTEGER AS critical_children
FROM spans
JOIN shown_runs ON "time" >= spans."from" AND "time" < spans."to"
WHERE ignored_child
GROUP BY ALL
ORDER BY application, "to", "from";
