-- Returns a row per application: how many metrics its runs that count log, and how many of them have no threshold.
SELECT
  coalesce(application, '') AS application,
  count(*)::DOUBLE AS rows,
  count(*) FILTER (is_unmonitored)::DOUBLE AS affected,
  to_json(coalesce(min({metric_name: metric_name}, 5) FILTER (is_unmonitored), []))::VARCHAR AS sample
FROM (
  SELECT application, metric_name, bool_and(status = 'unmonitored') AS is_unmonitored
  FROM day_metrics
  WHERE eligible
  GROUP BY application, metric_name
)
GROUP BY ALL
ORDER BY application;
