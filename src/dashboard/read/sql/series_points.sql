-- Creates `points`: the series ($application, $metric) in [$from, $to) (ms), from the files $timeseries and the table `judged`. `n` counts
-- the points by time, of equal times by run_id, from 1.
CREATE OR REPLACE TEMP TABLE points AS
SELECT
  row_number() OVER (ORDER BY published."timestamp", published.run_id) AS n,
  epoch_ms(published."timestamp")::DOUBLE AS "time",
  published."value",
  published.status,
  judged.invalid_kind,
  published.moving_avg,
  published.forecast,
  published.critical_threshold,
  published.warning_threshold,
  published.run_id,
  published.run_name,
  judged.experiment_id,
  published.user_id,
  judged.model_id,
  judged.dataset_name
FROM read_parquet($timeseries) AS published
JOIN judged USING (run_id)
WHERE published.application = $application AND published.metric_name = $metric
  AND epoch_ms(published."timestamp") >= $from AND epoch_ms(published."timestamp") < $to;
