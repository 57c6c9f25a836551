-- The run $run_id from the files $runs, with params and tags as JSON objects: at most one row.
SELECT
  run_id,
  run_name,
  application,
  experiment_id,
  experiment_name,
  strftime(date, '%Y-%m-%d') AS "day",
  epoch_ms("timestamp")::DOUBLE AS "time",
  epoch_ms(start_time)::DOUBLE AS started,
  epoch_ms(end_time)::DOUBLE AS ended,
  user_id,
  run_status,
  parent_run_id,
  eligible,
  status,
  evaluated_metrics,
  total_metrics,
  to_json(params)::VARCHAR AS params,
  to_json(tags)::VARCHAR AS tags
FROM read_parquet($runs)
WHERE run_id = $run_id
LIMIT 1;
