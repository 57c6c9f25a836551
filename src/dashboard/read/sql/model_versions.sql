-- Per model version of the eligible runs of $application that logged $metric in [$from, $to) (ms), from the files $runs and $enriched: its
-- runs, valid values and their quantiles. The version of the newest run first, at most 100.
WITH versions AS (
  SELECT run_id, coalesce(nullif(params['model_version'], ''), nullif(tags['model_version'], '')) AS labelled
  FROM read_parquet($runs)
  WHERE application = $application AND eligible
),
points AS (
  SELECT
    coalesce(versions.labelled, nullif(enriched.model_id, '')) AS model_version,
    epoch_ms(enriched."timestamp")::DOUBLE AS "time",
    enriched."value"
  FROM read_parquet($enriched) AS enriched
  JOIN versions USING (run_id)
  WHERE enriched.application = $application AND enriched.metric_name = $metric AND enriched.eligible
    AND epoch_ms(enriched."timestamp") >= $from AND epoch_ms(enriched."timestamp") < $to
)
SELECT
  model_version,
  count(*)::INTEGER AS runs,
  min("time") AS first_time,
  max("time") AS last_time,
  count("value")::INTEGER AS "values",
  quantile_disc("value", 0.1) AS lower,
  quantile_disc("value", 0.5) AS median,
  quantile_disc("value", 0.9) AS upper
FROM points
WHERE model_version IS NOT NULL
GROUP BY model_version
ORDER BY last_time DESC, model_version
LIMIT 100;
