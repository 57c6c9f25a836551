-- One row: how many of `points`, and of those that are critical, invalid or warning, are not in `shown`.
SELECT
  count(*)::INTEGER AS left_out,
  (count(*) FILTER (status IN ('critical', 'invalid', 'warning')))::INTEGER AS not_healthy_left_out
FROM points
ANTI JOIN shown USING (n);
