-- A row per experiment and metric of the active runs of a base object ($base); metric_name is null for an experiment whose runs have none.
WITH active AS (
  SELECT experiment_id, metrics FROM read_parquet($base) WHERE lifecycle_stage = 'active'
)
SELECT DISTINCT experiment_id, unnest(list_transform(metrics, lambda m: m.key)) AS metric_name FROM active
UNION ALL
SELECT DISTINCT experiment_id, NULL FROM active
ORDER BY experiment_id, metric_name;
