-- A row if an eligible run of $application logged $metric, from the files $enriched.
SELECT 1 AS known
FROM read_parquet($enriched)
WHERE application = $application AND metric_name = $metric AND eligible
LIMIT 1;
