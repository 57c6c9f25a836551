-- Writes to $file the counts per application and hour of the runs in the file $runs, as in `application_summary`. It has no lights: alerts need only those of the current span, which are computed from the counts.
COPY (
  SELECT
    date_trunc('hour', "timestamp") AS "timestamp",
    application,
    count(*) FILTER (eligible)::INTEGER AS total_runs,
    count(*) FILTER (eligible AND status = 'critical')::INTEGER AS critical_runs,
    count(*) FILTER (eligible AND status = 'invalid')::INTEGER AS invalid_runs,
    count(*) FILTER (eligible AND status = 'warning')::INTEGER AS warning_runs,
    count(*) FILTER (eligible AND status = 'healthy')::INTEGER AS healthy_runs,
    count(*) FILTER (eligible AND status = 'unmonitored')::INTEGER AS unmonitored_runs,
    count(*) FILTER (run_status IN ('RUNNING', 'SCHEDULED'))::INTEGER AS running_runs,
    count(*) FILTER (eligible AND run_status IN ('FAILED', 'KILLED'))::INTEGER AS failed_runs,
    NULL::VARCHAR AS light,
    NULL::VARCHAR AS light_reason
  FROM judged_runs($runs, $count_nested_runs)
  WHERE NOT ignored_child
  GROUP BY ALL
) TO $file (FORMAT parquet);
