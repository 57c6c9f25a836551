-- The newest forecast of each series, from points before $to (ms), in the files $forecasts, if the level is likely to cross a limit.
WITH newest AS (
  SELECT application, metric_name, max(fitted_at) AS fitted_at
  FROM read_parquet($forecasts)
  WHERE epoch_ms(fitted_at) < $to
  GROUP BY application, metric_name
)
SELECT
  application,
  metric_name,
  epoch_ms(fitted_at)::DOUBLE AS fitted_at,
  epoch_ms(any_value(warning_earliest))::DOUBLE AS warning_earliest,
  epoch_ms(any_value(warning_expected))::DOUBLE AS warning_expected,
  epoch_ms(any_value(critical_earliest))::DOUBLE AS critical_earliest,
  epoch_ms(any_value(critical_expected))::DOUBLE AS critical_expected
FROM read_parquet($forecasts)
JOIN newest USING (application, metric_name, fitted_at)
WHERE breach_status IS NOT NULL
GROUP BY application, metric_name, fitted_at
ORDER BY application, metric_name;
