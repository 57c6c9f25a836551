-- A row per run of a base object ($base) in one of the experiments ($experiments) that has not left MLflow.
SELECT run_id, experiment_id
FROM read_parquet($base)
WHERE lifecycle_stage <> 'gone' AND experiment_id IN (SELECT unnest(CAST($experiments AS VARCHAR[])))
ORDER BY run_id;
