-- Returns the runs of each application and hour in the files $files of `application_summary`, with the start of the hour (ms).
SELECT application, epoch_ms("timestamp")::DOUBLE AS hour, (total_runs + running_runs)::DOUBLE AS runs
FROM read_parquet($files)
WHERE application IS NOT NULL AND total_runs + running_runs > 0
ORDER BY application, hour;
