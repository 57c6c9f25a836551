-- Writes the dataset `quarantine` of one day to $file, from `quarantined`.
COPY (
  SELECT
    make_timestamp((observed * 1000)::BIGINT)::DATE AS date,
    make_timestamp((observed * 1000)::BIGINT)::TIMESTAMPTZ AS "timestamp",
    record_digest,
    pipeline_run_id,
    run_id,
    reason,
    record
  FROM quarantined
  ORDER BY "timestamp", record_digest
) TO $file (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 100000, KV_METADATA {schema_version: '1'});
