-- Returns a row per application: how many values have a range in the catalog, and how many lie outside it.
SELECT
  coalesce(application, '') AS application,
  count(*)::DOUBLE AS rows,
  count(*) FILTER (is_outside)::DOUBLE AS affected,
  to_json(coalesce(
    min({metric_name: metric_name, run_id: run_id, "value": "value", "min": min_value, "max": max_value}, 5)
      FILTER (is_outside),
    []
  ))::VARCHAR AS sample
FROM (
  SELECT *, coalesce("value" < min_value, false) OR coalesce("value" > max_value, false) AS is_outside
  FROM day_metrics
  WHERE "value" IS NOT NULL AND (min_value IS NOT NULL OR max_value IS NOT NULL)
)
GROUP BY ALL
ORDER BY application;
