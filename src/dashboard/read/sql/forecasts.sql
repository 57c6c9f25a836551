-- The newest forecast of each metric of $application (only $metric, unless it is '') from values before $to (ms), in the files $forecasts:
-- its steps as lists. By name.
WITH own AS (
  SELECT *
  FROM read_parquet($forecasts)
  WHERE application = $application AND ($metric = '' OR metric_name = $metric) AND epoch_ms(fitted_at) < $to
)
SELECT
  metric_name AS metric,
  epoch_ms(fitted_at)::DOUBLE AS fitted_at,
  any_value(points) AS points,
  any_value(model) AS model,
  epoch_ms(any_value(warning_earliest))::DOUBLE AS warning_earliest,
  epoch_ms(any_value(warning_expected))::DOUBLE AS warning_expected,
  epoch_ms(any_value(critical_earliest))::DOUBLE AS critical_earliest,
  epoch_ms(any_value(critical_expected))::DOUBLE AS critical_expected,
  list(epoch_ms("timestamp")::DOUBLE ORDER BY "timestamp") AS "time",
  list(forecast ORDER BY "timestamp") AS forecast,
  list(lower_80 ORDER BY "timestamp") AS lower_80,
  list(upper_80 ORDER BY "timestamp") AS upper_80,
  list(lower_95 ORDER BY "timestamp") AS lower_95,
  list(upper_95 ORDER BY "timestamp") AS upper_95
FROM own
JOIN (SELECT metric_name, max(fitted_at) AS newest FROM own GROUP BY metric_name) USING (metric_name)
WHERE fitted_at = newest
GROUP BY metric_name, fitted_at
ORDER BY metric_name;
