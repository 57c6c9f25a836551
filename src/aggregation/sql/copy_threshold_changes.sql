-- Writes the dataset `threshold_changes` of one day to $file, from `stored_changes` and `changes`.
-- Changes of the same time are complete in `changes`: they replace all stored rows of that time.
COPY (
  WITH fresh AS (
    SELECT
      make_timestamp((changed_at * 1000)::BIGINT)::DATE AS date,
      make_timestamp((changed_at * 1000)::BIGINT)::TIMESTAMPTZ AS "timestamp",
      * EXCLUDE (changed_at)
    FROM changes
  )
  SELECT * FROM stored_changes
  WHERE "timestamp" NOT IN (SELECT "timestamp" FROM fresh)
  UNION ALL BY NAME
  SELECT * FROM fresh
  ORDER BY metric_name, "timestamp", experiment_id NULLS FIRST
) TO $file (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 100000, KV_METADATA {schema_version: '1'});
