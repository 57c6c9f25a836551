-- The metrics $metrics[i] of the runs $run_ids[i] of one day, from the files $enriched and $base: value, status and rule, and when the
-- run ended and was first observed (ms).
WITH wanted AS (
  SELECT unnest($run_ids) AS run_id, unnest($metrics) AS metric_name
)
SELECT
  enriched.application,
  enriched.experiment_id,
  enriched.metric_name,
  epoch_ms(enriched."timestamp")::DOUBLE AS "time",
  enriched.run_id,
  enriched."value",
  enriched.status,
  enriched.higher_is_better,
  enriched.critical_threshold,
  enriched.warning_threshold,
  strftime(enriched.threshold_updated_at, '%Y-%m-%dT%H:%M:%S.%fZ') AS threshold_updated_at,
  enriched.threshold_updated_by,
  CASE WHEN base.run_status NOT IN ('RUNNING', 'SCHEDULED')
    THEN epoch_ms(coalesce(base.end_time, base."timestamp"))::DOUBLE END AS ended_at,
  epoch_ms(base.first_observed_at)::DOUBLE AS first_observed_at
FROM read_parquet($enriched) AS enriched
JOIN wanted USING (run_id, metric_name)
JOIN read_parquet($base) AS base USING (run_id)
ORDER BY enriched.run_id, enriched.metric_name;
