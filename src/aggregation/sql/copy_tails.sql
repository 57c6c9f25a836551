-- Writes the object `_tails` of a part of a day to $file, from `tails`.
COPY (
  SELECT $day::DATE AS date, tails.* EXCLUDE (series)
  FROM tails
  ORDER BY series
) TO $file (
  FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 20480,
  KV_METADATA {schema_version: $schema, inputs: $inputs, tail: $tail}
);
