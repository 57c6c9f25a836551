-- Writes the dataset `metric_timeseries` of one day to $file, from that day's `enriched_metrics` ($enriched) and `averages`.
-- Row groups are small: each row has a MAP, and the writer holds a whole group in memory.
COPY (
  WITH eligible AS (
    SELECT * FROM read_parquet($enriched) WHERE eligible
  ),
  ranked AS (
    SELECT
      run_id,
      metric_name,
      "value",
      row_number() OVER (
        PARTITION BY run_id ORDER BY threshold_source IS NULL, metric_name
      ) AS place
    FROM eligible
  ),
  summaries AS (
    SELECT run_id, map_from_entries(list_sort(list({"key": metric_name, "value": "value"}))) AS metrics
    FROM ranked
    WHERE place <= 50
    GROUP BY run_id
  ),
  ordered AS (
    SELECT eligible.*, averages.moving_avg
    FROM eligible
    JOIN averages USING (run_id, metric_name)
  )
  SELECT
    ordered.date,
    ordered."timestamp",
    ordered.run_id,
    ordered.run_name,
    ordered.user_id,
    ordered.application,
    ordered.metric_name,
    ordered."value",
    ordered.status,
    ordered.moving_avg,
    NULL::DOUBLE AS forecast,
    ordered.critical_threshold,
    ordered.warning_threshold,
    summaries.metrics AS run_summary_metrics,
    ordered.display_name,
    ordered.unit
  FROM ordered
  JOIN summaries USING (run_id)
  ORDER BY ordered.application, ordered.metric_name, ordered."timestamp", ordered.run_id
) TO $file (
  FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 20480, KV_METADATA {schema_version: '1', inputs: $inputs}
);
