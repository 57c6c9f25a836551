-- Writes the rows of the Parquet files $files, in this order, to $file, the dataset `runs` of one day: a row group per file.
COPY (SELECT * FROM read_parquet($files)) TO $file (
  FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 1, KV_METADATA {schema_version: $schema, inputs: $inputs}
);
