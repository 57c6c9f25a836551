-- Makes `latest`: for each run of `parsed` that can be read, its row there from the response whose request began last, with its
-- time and day. `torn`: responses of this slice have different content for the run.
-- Reads `parsed` and `page_times`. $chosen: JSON, [{run_id, ms}], the times of runs without a start time.
CREATE OR REPLACE TEMP TABLE latest AS
WITH chosen AS (
  SELECT unnest(from_json($chosen, '[{"run_id": "VARCHAR", "ms": "BIGINT"}]'), recursive := true)
),
responses AS (
  SELECT
    parsed.rowid AS parsed_row,
    parsed.run_id,
    parsed.content_digest,
    page_times.date AS date_ms,
    page_times.began AS began_ms,
    coalesce(parsed.start_ms, chosen.ms, parsed.end_ms) AS time_ms
  FROM parsed
  JOIN page_times USING (file)
  LEFT JOIN chosen USING (run_id)
  WHERE parsed.reason IS NULL
)
SELECT
  parsed_row,
  date_ms,
  began_ms,
  time_ms,
  CAST(make_timestamp(time_ms * 1000) AS DATE) AS day,
  min(content_digest) OVER of_run <> max(content_digest) OVER of_run AS torn
FROM responses
WINDOW of_run AS (PARTITION BY run_id)
QUALIFY row_number() OVER (
  PARTITION BY run_id ORDER BY began_ms DESC, date_ms DESC, content_digest
) = 1;
