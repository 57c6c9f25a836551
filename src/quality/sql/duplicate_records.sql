-- Returns a row per application: how many runs and metrics the day has, and how many of them are stored once more.
WITH records AS (
  SELECT application, run_id, NULL AS metric_name FROM day_runs
  UNION ALL
  SELECT application, run_id, metric_name FROM day_metrics
),
numbered AS (
  SELECT *, row_number() OVER (PARTITION BY run_id, metric_name ORDER BY application) > 1 AS is_repeated
  FROM records
)
SELECT
  coalesce(application, '') AS application,
  count(*)::DOUBLE AS rows,
  count(*) FILTER (is_repeated)::DOUBLE AS affected,
  to_json(coalesce(min({run_id: run_id, metric_name: metric_name}, 5) FILTER (is_repeated), []))::VARCHAR AS sample
FROM numbered
GROUP BY ALL
ORDER BY application;
