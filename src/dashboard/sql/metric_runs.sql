-- A row per application in $applications and metric that is critical, invalid or warning in an eligible run of [$from, $to) (ms) in the
-- files $enriched: how many runs are.
SELECT
  application,
  metric_name,
  count(*) FILTER (status = 'critical')::INTEGER AS critical,
  count(*) FILTER (status = 'invalid')::INTEGER AS invalid,
  count(*) FILTER (status = 'warning')::INTEGER AS warning
FROM read_parquet($enriched)
WHERE eligible
  AND status IN ('critical', 'invalid', 'warning')
  AND list_contains($applications, application)
  AND epoch_ms("timestamp") >= $from AND epoch_ms("timestamp") < $to
GROUP BY application, metric_name
ORDER BY application, metric_name;
