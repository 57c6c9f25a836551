-- Writes the dataset `enriched_metrics` of a part of a day to $file, from `active` and `judged`.
COPY (
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
    active.eligible,
    judged.metric_name,
    judged."value",
    judged.step,
    judged.metric_timestamp,
    judged.model_id,
    judged.dataset_name,
    judged.display_name,
    judged.description,
    judged.unit,
    judged.category,
    judged.higher_is_better,
    judged.critical_threshold,
    judged.warning_threshold,
    judged.threshold_source,
    judged.threshold_updated_at::TIMESTAMPTZ AS threshold_updated_at,
    judged.threshold_updated_by,
    judged.status,
    judged.invalid_kind,
    judged.min_value,
    judged.max_value
  FROM judged
  JOIN active USING (run_id)
  ORDER BY active.application, judged.metric_name, active."timestamp", active.run_id
) TO $file (
  FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 100000, KV_METADATA {schema_version: $schema, inputs: $inputs}
);
