-- Returns the application of each series, in order.
SELECT any_value(application) AS application
FROM points
GROUP BY series
ORDER BY series;
