-- Returns the series of `day_series` in order, with their limits.
SELECT application, metric_name, unnest(limits) FROM day_series ORDER BY series;
