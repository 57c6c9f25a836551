-- Writes the dataset `metric_timeseries` of a part of a day to $file, from its `enriched_metrics` ($enriched) and `averages`.
-- The rows have the order of $enriched, whose row numbers are cheaper to sort by than names. Row groups are small: each row
-- has a MAP, and the writer holds a whole group in memory.
COPY (
  WITH summaries AS (
    SELECT
      run_id,
      map_from_entries(list_sort(list_transform(
        -- The first 50: metrics with a threshold row, then by name.
        list_sort(list({unset: threshold_source IS NULL, "key": metric_name, "value": "value"}))[:50],
        lambda entry: {"key": entry."key", "value": entry."value"}
      ))) AS metrics
    FROM read_parquet($enriched)
    WHERE eligible
    GROUP BY run_id
  )
  SELECT
    enriched.date,
    enriched."timestamp",
    enriched.run_id,
    enriched.run_name,
    enriched.user_id,
    enriched.application,
    enriched.metric_name,
    enriched."value",
    enriched.status,
    CASE WHEN NOT isnan(averages.moving_avg) THEN averages.moving_avg END AS moving_avg,
    CASE WHEN NOT isnan(averages.forecast) THEN averages.forecast END AS forecast,
    enriched.critical_threshold,
    enriched.warning_threshold,
    summaries.metrics AS run_summary_metrics,
    enriched.display_name,
    enriched.unit
  FROM read_parquet($enriched, file_row_number = true) AS enriched
  JOIN averages ON averages."row" = enriched.file_row_number
  JOIN summaries USING (run_id)
  ORDER BY enriched.file_row_number
) TO $file (
  FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 20480, KV_METADATA {schema_version: $schema, inputs: $inputs}
);
