-- Returns a row per application: how many metrics `day_metrics` has, and how many of them have no value (NaN or infinite) or
-- lack something that every metric has.
SELECT
  coalesce(application, '') AS application,
  count(*)::DOUBLE AS rows,
  count(*) FILTER (is_null)::DOUBLE AS affected,
  to_json(coalesce(min({metric_name: metric_name, run_id: run_id}, 5) FILTER (is_null), []))::VARCHAR AS sample
FROM (
  SELECT
    *,
    "value" IS NULL OR run_id IS NULL OR experiment_id IS NULL OR application IS NULL OR metric_name IS NULL
      OR "timestamp" IS NULL OR date IS NULL OR status IS NULL AS is_null
  FROM day_metrics
)
GROUP BY ALL
ORDER BY application;
