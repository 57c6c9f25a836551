-- Writes the dataset `alerts` of one day to $file, from `transitions`.
COPY (
  SELECT
    make_timestamp(("at" * 1000)::BIGINT)::DATE AS date,
    make_timestamp(("at" * 1000)::BIGINT)::TIMESTAMPTZ AS "timestamp",
    * EXCLUDE ("at", "position") REPLACE (make_timestamp((since * 1000)::BIGINT)::TIMESTAMPTZ AS since)
  FROM transitions
  ORDER BY evaluation, "position"
) TO $file (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 100000, KV_METADATA {schema_version: '1', inputs: $inputs});
