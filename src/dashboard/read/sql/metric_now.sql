-- One row per metric of `judged` since $from (ms): its newest run, the valid value before it, since when runs have its status, and the
-- number of runs since $light_from (ms) by status.
WITH newest AS (
  SELECT *
  FROM judged
  WHERE "time" >= $from
  QUALIFY row_number() OVER (PARTITION BY metric_name ORDER BY n DESC) = 1
),
earlier AS (
  SELECT
    metric_name,
    max(judged.n) FILTER (judged.status NOT IN (newest.status, 'unmonitored') AND judged."time" >= $from) AS last_other,
    arg_max(judged."value", judged.n) FILTER (judged."value" IS NOT NULL AND judged.n < newest.n AND judged."time" >= $from) AS previous,
    count(*) FILTER (judged.status = 'critical' AND judged."time" >= $light_from)::INTEGER AS critical,
    count(*) FILTER (judged.status = 'invalid' AND judged."time" >= $light_from)::INTEGER AS invalid,
    count(*) FILTER (judged.status = 'warning' AND judged."time" >= $light_from)::INTEGER AS warning,
    count(*) FILTER (judged.status = 'healthy' AND judged."time" >= $light_from)::INTEGER AS healthy,
    count(*) FILTER (judged.status = 'unmonitored' AND judged."time" >= $light_from)::INTEGER AS unmonitored
  FROM judged
  JOIN newest USING (metric_name)
  GROUP BY metric_name
),
since AS (
  SELECT metric_name, min(judged."time") AS status_since
  FROM judged
  JOIN newest USING (metric_name)
  JOIN earlier USING (metric_name)
  WHERE judged.status = newest.status AND judged.n > coalesce(earlier.last_other, 0) AND judged."time" >= $from
  GROUP BY metric_name
)
SELECT
  newest.* EXCLUDE (n, threshold_updated_at),
  strftime(newest.threshold_updated_at, '%Y-%m-%dT%H:%M:%S.%fZ') AS threshold_updated_at,
  earlier.previous,
  earlier.last_other IS NULL AS status_since_before,
  since.status_since,
  earlier.* EXCLUDE (metric_name, last_other, previous)
FROM newest
JOIN earlier USING (metric_name)
JOIN since USING (metric_name)
ORDER BY metric_name;
