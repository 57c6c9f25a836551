-- Makes `merged_keys`: a row per run of one day's base object after the decisions in `decided`, with the batch in which it is
-- written. Batches follow the order of run_id. Reads `facts`, `stored_rows` and `decided`. $batch_bytes: see heavy-rows.ts.
CREATE OR REPLACE TEMP TABLE merged_keys AS
WITH replaced AS (
  SELECT run_id, gone FROM decided WHERE decision IN ('replace', 'overrule')
),
merged_rows AS (
  SELECT run_id, content_digest, lifecycle_stage, params, tags, inputs, metrics
  FROM stored_rows
  WHERE run_id NOT IN (SELECT run_id FROM replaced WHERE NOT gone)
  UNION ALL
  SELECT run_id, content_digest, lifecycle_stage, params, tags, inputs, metrics
  FROM facts
  JOIN decided USING (run_id)
  WHERE NOT decided.gone AND decided.decision IN ('insert', 'replace', 'overrule')
),
sized AS (
  SELECT
    run_id,
    content_digest,
    CASE WHEN run_id IN (SELECT run_id FROM replaced WHERE gone) THEN 'gone' ELSE lifecycle_stage END AS lifecycle_stage,
    heavy_bytes(params, tags, strlen(inputs) + 64 * len(metrics)) AS bytes
  FROM merged_rows
)
SELECT
  run_id,
  content_digest,
  lifecycle_stage,
  ((sum(bytes) OVER (ORDER BY run_id) - bytes) // $batch_bytes)::INTEGER AS batch
FROM sized;
