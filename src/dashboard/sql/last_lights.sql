-- Per application (files $summaries) and for the platform (application null, files $platform): the newest hour before $to (ms) with an
-- eligible run, and the light at the end of that hour; nulls if there is none.
SELECT
  application,
  epoch_ms(max("timestamp") FILTER (total_runs > 0))::DOUBLE AS hour,
  arg_max(light, "timestamp") FILTER (total_runs > 0) AS light,
  arg_max(light_reason, "timestamp") FILTER (total_runs > 0) AS reason
FROM (
  SELECT application, "timestamp", total_runs, light, light_reason FROM read_parquet($summaries)
  UNION ALL
  SELECT NULL, "timestamp", total_runs, light, light_reason FROM read_parquet($platform)
)
WHERE epoch_ms("timestamp") < $to
GROUP BY application
ORDER BY application NULLS FIRST;
