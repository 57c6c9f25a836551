-- Returns the rows of the files $files of `data_quality` that are about a check and an application (null: all together), newest first.
SELECT
  epoch_ms("timestamp")::DOUBLE AS "at",
  pipeline_run_id,
  severity,
  passed,
  measured,
  "limit",
  affected_rows::DOUBLE AS affected_rows,
  sample
FROM read_parquet($files)
WHERE check_name = $check AND application IS NOT DISTINCT FROM CAST($application AS VARCHAR)
ORDER BY "timestamp" DESC, pipeline_run_id
LIMIT 1000;
