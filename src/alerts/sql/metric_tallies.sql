-- Per application, metric and arrival (from `late_runs`): the number of values of eligible runs of the files $enriched in [$from, $to) (ms) by
-- status, and the time (ms) of the newest.
SELECT
  application,
  metric_name,
  CASE WHEN late_runs.is_new IS NULL THEN 'on_time' WHEN late_runs.is_new THEN 'new_late' ELSE 'late' END AS arrival,
  count(*)::INTEGER AS total,
  count(*) FILTER (status = 'critical')::INTEGER AS critical,
  count(*) FILTER (status = 'invalid')::INTEGER AS invalid,
  count(*) FILTER (status = 'warning')::INTEGER AS warning,
  count(*) FILTER (status = 'healthy')::INTEGER AS healthy,
  count(*) FILTER (status = 'unmonitored')::INTEGER AS unmonitored,
  epoch_ms(max("timestamp"))::DOUBLE AS newest
FROM read_parquet($enriched)
LEFT JOIN late_runs USING (run_id)
WHERE eligible AND epoch_ms("timestamp") >= $from AND epoch_ms("timestamp") < $to
GROUP BY application, metric_name, arrival
ORDER BY application, metric_name, arrival;
