-- Writes `merged` to $file, with its content digest ($content) in the footer.
COPY (SELECT * FROM merged) TO $file (
  FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 100000,
  KV_METADATA {schema_version: '1', content: $content}
);
