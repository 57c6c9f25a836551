-- Per application in $applications and metric: the number of critical, invalid and warning runs in [$from, $to) (ms), from the files
-- $enriched. Metrics without such runs have no row.
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
