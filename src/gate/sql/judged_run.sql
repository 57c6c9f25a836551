-- Returns the run $run_id of `active`; no row if the service does not judge it.
SELECT
  run_id, run_name, experiment_id, experiment_name, application, run_status, settled,
  epoch_ms("timestamp")::DOUBLE AS "time"
FROM active
WHERE run_id = $run_id;
