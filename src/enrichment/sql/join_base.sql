-- Writes the rows of the Parquet files $files, in this order, to the base object $file: a row group per file.
COPY (SELECT * FROM read_parquet($files)) TO $file (
  FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 1, KV_METADATA {schema_version: '1', content: $content}
);
