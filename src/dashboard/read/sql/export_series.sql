-- Creates `exported` from `shown`: the points of the series ($application, $metric) as a table.
CREATE OR REPLACE TEMP TABLE exported AS
SELECT
  make_timestamp(("time" * 1000)::BIGINT)::TIMESTAMPTZ AS "timestamp",
  cell($application) AS application,
  cell($metric) AS metric_name,
  "value",
  status,
  invalid_kind,
  moving_avg,
  forecast,
  critical_threshold,
  warning_threshold,
  cell(run_id) AS run_id,
  cell(run_name) AS run_name,
  cell(experiment_id) AS experiment_id,
  cell(user_id) AS user_id,
  cell(model_id) AS model_id,
  cell(dataset_name) AS dataset_name
FROM shown
ORDER BY n;
