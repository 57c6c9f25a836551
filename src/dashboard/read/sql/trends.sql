-- Per metric of $application: trend and mean as of its newest hour with an eligible run before $to (ms), from the files $summaries.
SELECT entry."key" AS metric_name, entry."value".trend AS trend, entry."value".avg_value AS mean
FROM (
  SELECT unnest(map_entries(metrics_summary)) AS entry
  FROM (
    SELECT metrics_summary
    FROM read_parquet($summaries)
    WHERE application = $application AND total_runs > 0 AND epoch_ms("timestamp") < $to
    ORDER BY "timestamp" DESC
    LIMIT 1
  )
)
ORDER BY metric_name;
