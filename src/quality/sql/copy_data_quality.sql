-- Writes the dataset `data_quality` of one day to $file, from `stored_checks` and `new_checks`. Rows of the same pipeline run are
-- complete in `new_checks`: they replace the stored ones.
COPY (
  SELECT * FROM stored_checks
  WHERE pipeline_run_id NOT IN (SELECT pipeline_run_id FROM new_checks)
  UNION ALL BY NAME
  SELECT
    make_timestamp(("at" * 1000)::BIGINT)::DATE AS date,
    make_timestamp(("at" * 1000)::BIGINT)::TIMESTAMPTZ AS "timestamp",
    * EXCLUDE ("at")
  FROM new_checks
  ORDER BY application NULLS FIRST, "timestamp", pipeline_run_id, check_name
) TO $file (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 100000, KV_METADATA {schema_version: '1'});
