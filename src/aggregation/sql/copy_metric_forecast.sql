-- Writes the dataset `metric_forecast` of a part of a day to $file, from `forecasts` (a row per series) and `forecast_steps`
-- (a row per series and step). `date` is the day of `fitted_at`: the steps may be on later days.
COPY (
  SELECT
    $day::DATE AS date,
    make_timestamp((steps."time" * 1000)::BIGINT)::TIMESTAMPTZ AS "timestamp",
    forecasts.application,
    forecasts.metric_name,
    steps.forecast,
    steps.lower_80,
    steps.upper_80,
    steps.lower_95,
    steps.upper_95,
    forecasts.breach_status,
    make_timestamp((forecasts.breach_earliest * 1000)::BIGINT)::TIMESTAMPTZ AS breach_earliest,
    make_timestamp((forecasts.breach_expected * 1000)::BIGINT)::TIMESTAMPTZ AS breach_expected,
    make_timestamp((forecasts.warning_earliest * 1000)::BIGINT)::TIMESTAMPTZ AS warning_earliest,
    make_timestamp((forecasts.warning_expected * 1000)::BIGINT)::TIMESTAMPTZ AS warning_expected,
    make_timestamp((forecasts.critical_earliest * 1000)::BIGINT)::TIMESTAMPTZ AS critical_earliest,
    make_timestamp((forecasts.critical_expected * 1000)::BIGINT)::TIMESTAMPTZ AS critical_expected,
    forecasts.model,
    forecasts.points,
    make_timestamp((forecasts.fitted_at * 1000)::BIGINT)::TIMESTAMPTZ AS fitted_at
  FROM forecast_steps AS steps
  JOIN forecasts USING (series)
  ORDER BY steps.series, steps.step
) TO $file (
  FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 100000, KV_METADATA {schema_version: $schema, inputs: $inputs}
);
