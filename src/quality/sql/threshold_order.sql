-- Returns a row per application: how many pairs of limits its metrics are judged by, and how many of them have the critical limit
-- on the better side of the warning limit.
SELECT
  coalesce(application, '') AS application,
  count(*)::DOUBLE AS rows,
  count(*) FILTER (is_wrong)::DOUBLE AS affected,
  to_json(coalesce(
    min({metric_name: metric_name, critical: critical_threshold, warning: warning_threshold, experiment_id: experiment_id}, 5)
      FILTER (is_wrong),
    []
  ))::VARCHAR AS sample
FROM (
  SELECT DISTINCT
    application,
    metric_name,
    critical_threshold,
    warning_threshold,
    CASE WHEN threshold_source = 'experiment' THEN experiment_id END AS experiment_id,
    CASE WHEN higher_is_better THEN critical_threshold > warning_threshold
      ELSE critical_threshold < warning_threshold END AS is_wrong
  FROM day_metrics
  WHERE critical_threshold IS NOT NULL AND warning_threshold IS NOT NULL AND higher_is_better IS NOT NULL
)
GROUP BY ALL
ORDER BY application;
