-- Returns the series in order: the application, and the time of the newest point on the days before (ms since $from; NaN
-- without one).
SELECT
  application,
  coalesce((epoch_ms(before."timestamp") - $from)::DOUBLE, 'NaN'::DOUBLE) AS before
FROM series
ORDER BY series.series;
