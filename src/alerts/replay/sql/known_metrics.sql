-- Writes to $file the rows of the object $source of `enriched_metrics` whose runs had ended at $now (ms).
COPY (
  SELECT * FROM read_parquet($source) WHERE run_id IN (SELECT run_id FROM known_runs WHERE ended_at <= $now)
) TO $file (FORMAT parquet);
