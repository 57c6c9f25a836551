-- Writes the object `_sums` of one day to $file, from `sums` and `day_series`. Only the first row of a whole day names the
-- newest point of its series.
COPY (
  SELECT
    $day::DATE AS date,
    day_series.application,
    day_series.metric_name,
    sums.* EXCLUDE (series, "row")
    REPLACE (
      hour::TINYINT AS hour,
      exponent::SMALLINT AS exponent,
      points::BIGINT AS points,
      valid_points::BIGINT AS valid_points,
      first_time::INTEGER AS first_time,
      last_time::INTEGER AS last_time,
      sum_t::BIGINT AS sum_t
    ),
    unnest(CASE WHEN sums.hour = -1 AND sums.points > 0 THEN day_series.newest END)
  FROM sums
  JOIN day_series USING (series)
  ORDER BY sums."row"
) TO $file (
  FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 100000, KV_METADATA {schema_version: '1', inputs: $inputs}
);
