-- A row per series in order: its application.
SELECT any_value(application) AS application
FROM points
GROUP BY series
ORDER BY series;
