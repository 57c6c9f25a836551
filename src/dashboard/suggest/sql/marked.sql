-- One row per metric and direction of the table `suggested`: how many runs of $application (or of all: '') the limits mark.
WITH judged AS (
  SELECT
    suggested.metric_name,
    suggested.higher_is_better,
    CASE WHEN suggested.higher_is_better THEN value < critical ELSE value > critical END AS is_critical,
    CASE WHEN suggested.higher_is_better THEN value < warning ELSE value > warning END AS is_beyond_warning
  FROM read_parquet($files) AS metrics
  JOIN suggested ON suggested.metric_name = metrics.metric_name
  WHERE eligible AND value IS NOT NULL AND ($application = '' OR application = $application)
)
SELECT
  metric_name,
  higher_is_better,
  count(*) FILTER (WHERE is_critical)::INTEGER AS critical,
  count(*) FILTER (WHERE is_beyond_warning AND is_critical IS NOT true)::INTEGER AS warning
FROM judged
GROUP BY metric_name, higher_is_better
