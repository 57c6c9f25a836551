-- Makes `averages`: the moving average of each run and metric whose point is in `computed` (point, moving_avg).
CREATE OR REPLACE TEMP TABLE averages AS
SELECT run_id, metric_name, moving_avg
FROM points
JOIN computed USING (point);
