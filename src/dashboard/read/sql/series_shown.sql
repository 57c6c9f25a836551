-- Creates `shown` from more `points` than $max_points: the first and the last one, the smallest and the largest value of each of
-- $max_points/2 equal spans of time, and all critical, invalid and warning points. If these alone are more than $max_points: of each of
-- $max_points/8 spans and of each status in it, the smallest and the largest value.
CREATE OR REPLACE TEMP TABLE shown AS
WITH counted AS (
  SELECT
    min("time") AS first_time,
    max("time") AS last_time,
    count(*) AS total,
    count(*) FILTER (status IN ('critical', 'invalid', 'warning')) <= $max_points AS keep_not_healthy
  FROM points
),
placed AS (
  SELECT
    points.*,
    counted.total,
    counted.keep_not_healthy,
    floor(
      (points."time" - counted.first_time) / (counted.last_time - counted.first_time + 1)
      * floor($max_points / CASE WHEN counted.keep_not_healthy THEN 2 ELSE 8 END)
    ) AS span,
    CASE WHEN NOT counted.keep_not_healthy THEN points.status END AS class
  FROM points, counted
),
ranked AS (
  SELECT
    *,
    row_number() OVER (PARTITION BY span, class ORDER BY "value" NULLS LAST, n) AS from_smallest,
    row_number() OVER (PARTITION BY span, class ORDER BY "value" DESC NULLS LAST, n) AS from_largest
  FROM placed
)
SELECT * EXCLUDE (total, keep_not_healthy, span, class, from_smallest, from_largest)
FROM ranked
WHERE n = 1 OR n = total OR from_smallest = 1 OR from_largest = 1
  OR (keep_not_healthy AND status IN ('critical', 'invalid', 'warning'))
ORDER BY n;
