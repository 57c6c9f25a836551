-- Returns a row per experiment and metric of the active runs in the base object $base, and one with metric_name null per
-- experiment, sorted. Each text begins with ':': the Node binding drops a U+FEFF at the beginning of a text.
WITH active AS (
  SELECT experiment_id, metrics FROM read_parquet($base) WHERE lifecycle_stage = 'active'
)
SELECT ':' || experiment_id AS experiment_id, ':' || metric_name AS metric_name
FROM (
  SELECT DISTINCT experiment_id, unnest(list_transform(metrics, lambda m: m.key)) AS metric_name FROM active
  UNION ALL
  SELECT DISTINCT experiment_id, NULL FROM active
)
ORDER BY ALL;
