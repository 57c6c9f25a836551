-- Per application and span [$froms[i], $tos[i]) (ms, as texts): the run counts of its published hours, from the files $summaries; no row
-- without published hours. A span given twice counts once: in the last hour of a day, the span before the current one is yesterday's.
WITH spans AS (
  SELECT DISTINCT "from", "to"
  FROM (SELECT unnest($froms)::BIGINT AS "from", unnest($tos)::BIGINT AS "to")
),
hours AS (
  SELECT application, epoch_ms("timestamp") AS hour, COLUMNS('_runs$')
  FROM read_parquet($summaries)
)
SELECT
  hours.application,
  spans."to"::DOUBLE AS "to",
  spans."from"::DOUBLE AS "from",
  sum(total_runs)::INTEGER AS total,
  sum(critical_runs)::INTEGER AS critical,
  sum(invalid_runs)::INTEGER AS invalid,
  sum(warning_runs)::INTEGER AS warning,
  sum(healthy_runs)::INTEGER AS healthy,
  sum(unmonitored_runs)::INTEGER AS unmonitored,
  sum(running_runs)::INTEGER AS running,
  sum(failed_runs)::INTEGER AS failed
FROM spans
JOIN hours ON hours.hour >= spans."from" AND hours.hour < spans."to"
GROUP BY ALL
ORDER BY application, "to", "from";
