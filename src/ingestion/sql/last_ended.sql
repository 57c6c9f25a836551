-- Returns the $limit runs of the base objects $bases in $experiments that ended last, but not after $to (ms), newest end first:
-- run_id, experiment_id, day, ended (ms).
SELECT
  run_id,
  experiment_id,
  CAST(date AS VARCHAR) AS day,
  epoch_ms(coalesce(end_time, "timestamp"))::DOUBLE AS ended
FROM read_parquet($bases)
WHERE lifecycle_stage <> 'gone'
  AND run_status IN ('FINISHED', 'FAILED', 'KILLED')
  AND ended <= $to
  AND experiment_id IN (SELECT unnest(CAST($experiments AS VARCHAR[])))
ORDER BY ended DESC, run_id
LIMIT $limit;
