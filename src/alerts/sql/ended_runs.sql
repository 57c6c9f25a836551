-- Of each application the last $count judged eligible runs of the files $runs that ended in ($from, $to] (ms), newest end first, and their
-- arrival (from `late_runs`).
SELECT
  application,
  run_id,
  run_name,
  user_id,
  experiment_id,
  status,
  CASE WHEN late_runs.is_new IS NULL THEN 'on_time' WHEN late_runs.is_new THEN 'new_late' ELSE 'late' END AS arrival,
  epoch_ms("timestamp")::DOUBLE AS "time",
  epoch_ms(end_time)::DOUBLE AS ended
FROM read_parquet($runs)
LEFT JOIN late_runs USING (run_id)
WHERE eligible AND status <> 'unmonitored' AND epoch_ms(end_time) > $from AND epoch_ms(end_time) <= $to
QUALIFY row_number() OVER (PARTITION BY application ORDER BY end_time DESC, run_id DESC) <= $count
ORDER BY application, end_time DESC, run_id DESC;
