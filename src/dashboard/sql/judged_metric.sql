-- One row: the metric $metric of the run $run_id of a day's $enriched, with the times at which its facts ($base) were seen (ms).
SELECT
  enriched.application,
  enriched.experiment_id,
  epoch_ms(enriched."timestamp")::DOUBLE AS "time",
  enriched.run_id,
  enriched."value",
  enriched.status,
  enriched.higher_is_better,
  enriched.critical_threshold,
  enriched.warning_threshold,
  strftime(enriched.threshold_updated_at, '%Y-%m-%dT%H:%M:%S.%fZ') AS threshold_updated_at,
  CASE WHEN base.run_status NOT IN ('RUNNING', 'SCHEDULED')
    THEN epoch_ms(coalesce(base.end_time, base."timestamp"))::DOUBLE END AS ended_at,
  epoch_ms(base.first_observed_at)::DOUBLE AS first_observed_at,
  epoch_ms(base.changed_at)::DOUBLE AS changed_at
FROM read_parquet($enriched) AS enriched
JOIN read_parquet($base) AS base USING (run_id)
WHERE enriched.run_id = $run_id AND enriched.metric_name = $metric;
