-- Writes the object `_sums` of one day to $file, from `sums` and `day_series`.
COPY (
  SELECT
    $day::DATE AS date,
    day_series.application,
    day_series.metric_name,
    sums.whole_day,
    sums.hours,
    unnest(day_series.newest)
  FROM sums
  JOIN day_series USING (series)
  ORDER BY series
) TO $file (
  FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 20480, KV_METADATA {schema_version: '1', inputs: $inputs}
);
