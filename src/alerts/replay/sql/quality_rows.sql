-- The verdicts of the files $files of `data_quality`, oldest first; "at" in ms.
SELECT
  epoch_ms("timestamp")::DOUBLE AS "at",
  check_name,
  application,
  severity,
  passed,
  measured,
  "limit",
  affected_rows::DOUBLE AS affected_rows,
  sample
FROM read_parquet($files)
ORDER BY "timestamp", pipeline_run_id, check_name, application NULLS FIRST;
