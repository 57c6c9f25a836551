-- Writes one batch ($batch) of the dataset `runs` of a part of a day with the columns of schema versions 1 and 2 to $file, from `active`,
-- `judged` and the base objects $bases.
COPY (
  WITH verdicts AS (
    SELECT
      run_id,
      min(list_position(['critical', 'invalid', 'warning', 'healthy', 'unmonitored'], status)) AS worst,
      count(*) FILTER (status <> 'unmonitored')::INTEGER AS evaluated_metrics
    FROM judged
    GROUP BY run_id
  )
  SELECT
    active.date,
    active."timestamp",
    active.run_id,
    active.run_name,
    active.experiment_id,
    active.experiment_name,
    active.application,
    active.user_id,
    active.run_status,
    active.start_time,
    active.end_time,
    active.parent_run_id,
    active.eligible,
    coalesce(['critical', 'invalid', 'warning', 'healthy', 'unmonitored'][verdicts.worst], 'unmonitored') AS status,
    coalesce(verdicts.evaluated_metrics, 0)::INTEGER AS evaluated_metrics,
    len(active.metrics)::INTEGER AS total_metrics,
    stored.params,
    stored.tags,
    map_from_entries(list_transform(active.metrics, lambda m: {
      "key": m."key",
      "value": CASE WHEN NOT isnan(m."value") AND abs(m."value") < 1.7976931348623157e308 THEN m."value" END
    })) AS run_summary_metrics
  FROM active
  JOIN (SELECT run_id, params, tags FROM read_parquet($bases)) AS stored USING (run_id)
  LEFT JOIN verdicts USING (run_id)
  WHERE active.batch = $batch
  ORDER BY active.application, active."timestamp", active.run_id
) TO $file (
  FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 100000, KV_METADATA {schema_version: $schema, inputs: $inputs}
);
