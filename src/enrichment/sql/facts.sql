-- Makes `facts`: one row per run that can be read: of the answers that hold it the one asked last, its content digest,
-- its time and day, and whether answers of this slice disagree (`torn`).
-- Reads `parsed` and `page_answers`. $chosen: JSON, [{run_id, ms}], the times chosen for runs without a start time.
CREATE OR REPLACE TEMP TABLE facts AS
WITH chosen AS (
  SELECT unnest(from_json($chosen, '[{"run_id": "VARCHAR", "ms": "BIGINT"}]'), recursive := true)
),
digested AS (
  SELECT
    parsed.* EXCLUDE (file, reason, record),
    answers.date AS date_ms,
    answers.began AS began_ms,
    coalesce(parsed.start_ms, chosen.ms, parsed.end_ms) AS time_ms,
    sha256(to_json({
      run_id: parsed.run_id, run_name: run_name, experiment_id: experiment_id, user_id: user_id, run_status: run_status,
      start_ms: start_ms, end_ms: end_ms, lifecycle_stage: lifecycle_stage, metrics: metrics, params: params, tags: tags,
      inputs: inputs
    })::VARCHAR) AS content_digest
  FROM parsed
  JOIN page_answers AS answers USING (file)
  LEFT JOIN chosen USING (run_id)
  WHERE parsed.reason IS NULL
)
SELECT
  *,
  CAST(make_timestamp(time_ms * 1000) AS DATE) AS day,
  min(content_digest) OVER of_run <> max(content_digest) OVER of_run AS torn
FROM digested
WINDOW of_run AS (PARTITION BY run_id)
QUALIFY row_number() OVER (
  PARTITION BY run_id ORDER BY began_ms DESC, date_ms DESC, content_digest
) = 1;
