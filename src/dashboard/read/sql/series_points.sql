-- Creates `points`: the series ($application, $metric) in [$from, $to) (ms), from the files $timeseries, with the rule of each point from
-- the files $enriched. `n` counts the points by time, of equal times by run_id, from 1.
CREATE OR REPLACE TEMP TABLE points AS
WITH rules AS (
  SELECT
    run_id,
    experiment_id,
    invalid_kind,
    display_name,
    unit,
    higher_is_better,
    threshold_source,
    threshold_updated_at,
    threshold_updated_by,
    model_id,
    dataset_name
  FROM read_parquet($enriched)
  WHERE application = $application AND metric_name = $metric AND eligible
)
SELECT
  row_number() OVER (ORDER BY published."timestamp", published.run_id) AS n,
  epoch_ms(published."timestamp")::DOUBLE AS "time",
  published.metric_name,
  published."value",
  published.status,
  published.moving_avg,
  published.forecast,
  published.critical_threshold,
  published.warning_threshold,
  published.run_name,
  published.user_id,
  rules.*
FROM read_parquet($timeseries) AS published
JOIN rules USING (run_id)
WHERE published.application = $application AND published.metric_name = $metric
  AND epoch_ms(published."timestamp") >= $from AND epoch_ms(published."timestamp") < $to;
