-- One row: the number of points, and how many of them, and of those that are critical, invalid or warning, are not in `shown`.
SELECT
  count(*)::INTEGER AS total,
  (count(*) FILTER (shown.n IS NULL))::INTEGER AS left_out,
  (count(*) FILTER (shown.n IS NULL AND points.status IN ('critical', 'invalid', 'warning')))::INTEGER AS not_healthy_left_out
FROM points
LEFT JOIN shown ON shown.n = points.n;
