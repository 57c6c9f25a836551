-- Of each of the runs $run_ids the first critical metric by name, from the files $enriched.
SELECT run_id, metric_name, display_name, unit, higher_is_better, "value", critical_threshold AS "limit"
FROM read_parquet($enriched)
WHERE status = 'critical' AND run_id IN (SELECT unnest($run_ids))
QUALIFY row_number() OVER (PARTITION BY run_id ORDER BY metric_name) = 1
ORDER BY run_id;
