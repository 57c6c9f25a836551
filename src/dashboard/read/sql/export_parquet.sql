-- Writes the table `exported` to $file.
COPY exported TO $file (FORMAT parquet, COMPRESSION zstd);
