-- Makes `facts`: a row per run of `parsed` that can be read, from the response whose request began last, with its content
-- digest, time and day. `torn`: responses of this slice have different content for the run.
-- Reads `parsed` and `page_times`. $chosen: JSON, [{run_id, ms}], the times of runs without a start time.
CREATE OR REPLACE TEMP TABLE facts AS
WITH chosen AS (
  SELECT unnest(from_json($chosen, '[{"run_id": "VARCHAR", "ms": "BIGINT"}]'), recursive := true)
),
digested AS (
  SELECT
    parsed.* EXCLUDE (file, reason, record),
    page_times.date AS date_ms,
    page_times.began AS began_ms,
    coalesce(parsed.start_ms, chosen.ms, parsed.end_ms) AS time_ms,
    sha256(to_json({
      run_id: parsed.run_id, run_name: run_name, experiment_id: experiment_id, user_id: user_id, run_status: run_status,
      start_ms: start_ms, end_ms: end_ms, lifecycle_stage: lifecycle_stage, metrics: metrics, params: params, tags: tags,
      inputs: inputs
    })::VARCHAR) AS content_digest
  FROM parsed
  JOIN page_times USING (file)
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
