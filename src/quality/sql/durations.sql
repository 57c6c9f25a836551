-- Returns the median duration (ms) of the finished runs in `day_runs` of each experiment that has at least 5.
SELECT experiment_id, quantile_disc(epoch_ms(end_time) - epoch_ms(start_time), 0.5)::DOUBLE AS duration
FROM day_runs
WHERE run_status = 'FINISHED' AND end_time >= start_time
GROUP BY experiment_id
HAVING count(*) >= 5
ORDER BY experiment_id;
