-- Returns the runs of the base objects $bases in $experiments that are not gone, sorted by run_id.
SELECT run_id, experiment_id
FROM read_parquet($bases)
WHERE lifecycle_stage <> 'gone' AND experiment_id IN (SELECT unnest(CAST($experiments AS VARCHAR[])))
ORDER BY run_id;
