-- Returns the active runs of the base object $base by experiment and by the value of the tag $tag, sorted: a digest of their facts
-- (`content`) and the names of their metrics. Each text begins with ':': the Node binding drops a U+FEFF at the beginning of a
-- text. `value` is null for runs without the tag.
WITH active AS (
  SELECT experiment_id, tags[$tag] AS "value", run_id, content_digest, metrics
  FROM read_parquet($base)
  WHERE lifecycle_stage = 'active'
),
names AS (
  SELECT experiment_id, "value", list(DISTINCT ':' || name ORDER BY ':' || name) AS names
  FROM (SELECT experiment_id, "value", unnest(list_transform(metrics, lambda m: m.key)) AS name FROM active)
  GROUP BY experiment_id, "value"
)
SELECT
  ':' || active.experiment_id AS experiment_id,
  ':' || active."value" AS "value",
  sha256(string_agg(run_id || content_digest, chr(10) ORDER BY run_id)) AS content,
  to_json(coalesce(any_value(names.names), []))::VARCHAR AS names
FROM active
LEFT JOIN names ON names.experiment_id = active.experiment_id AND names."value" IS NOT DISTINCT FROM active."value"
GROUP BY active.experiment_id, active."value"
ORDER BY active.experiment_id, active."value" NULLS FIRST;
