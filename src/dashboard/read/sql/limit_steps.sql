-- One row per metric of `judged`, scope of its limits (the platform, null, or an experiment) and span in which the limits of its runs
-- since $from (ms) are the same: since which run, the limits, and the newest change of the threshold row. By metric and time.
WITH scoped AS (
  SELECT *, CASE WHEN threshold_source = 'experiment' THEN experiment_id END AS scope
  FROM judged
  WHERE "time" >= $from
),
compared AS (
  SELECT
    *,
    row_number() OVER series AS place,
    critical_threshold IS DISTINCT FROM lag(critical_threshold) OVER series
      OR warning_threshold IS DISTINCT FROM lag(warning_threshold) OVER series AS differs
  FROM scoped
  WINDOW series AS (PARTITION BY metric_name, scope ORDER BY n)
)
SELECT
  metric_name,
  strftime(make_timestamp(("time" * 1000)::BIGINT), '%Y-%m-%dT%H:%M:%S.%gZ') AS "from",
  scope AS experiment_id,
  critical_threshold,
  warning_threshold,
  strftime(threshold_updated_at, '%Y-%m-%dT%H:%M:%S.%fZ') AS updated_at,
  threshold_updated_by AS updated_by
FROM compared
WHERE place = 1 OR differs
ORDER BY metric_name, n;
