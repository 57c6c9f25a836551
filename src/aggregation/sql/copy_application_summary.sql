-- Writes the dataset `application_summary` of a part of a day to $file, from `application_hours` (counts, rates, light), `series`,
-- `metric_spans` (per series and hour: the row of the newest point, and mean and trend of the 7 days that end with the hour)
-- and its `enriched_metrics` ($enriched).
COPY (
  WITH spans AS (
    SELECT
      series.application,
      metric_spans.hour,
      series.metric_name AS "key",
      CASE WHEN metric_spans."row" < 0 THEN series.before ELSE {
        "timestamp": enriched."timestamp",
        "value": enriched."value",
        status: enriched.status,
        display_name: enriched.display_name,
        unit: enriched.unit
      } END AS newest,
      CASE WHEN NOT isnan(metric_spans.avg_value) THEN metric_spans.avg_value END AS avg_value,
      CASE WHEN NOT isnan(metric_spans.trend) THEN metric_spans.trend END AS trend
    FROM metric_spans
    JOIN series USING (series)
    LEFT JOIN read_parquet($enriched, file_row_number = true) AS enriched
      ON enriched.file_row_number = metric_spans."row"
  ),
  summaries AS (
    SELECT
      application,
      hour,
      map_from_entries(list_sort(list({
        "key": "key",
        "value": {
          latest_value: newest."value",
          latest_status: newest.status,
          avg_value: avg_value,
          trend: trend,
          display_name: newest.display_name,
          unit: newest.unit
        }
      }))) AS metrics
    FROM spans
    GROUP BY application, hour
  )
  SELECT
    make_timestamp((hours.hour * 1000)::BIGINT)::DATE AS date,
    make_timestamp((hours.hour * 1000)::BIGINT)::TIMESTAMPTZ AS "timestamp",
    hours.application,
    hours.total_runs,
    hours.critical_runs,
    hours.warning_runs,
    hours.healthy_runs,
    hours.invalid_runs,
    hours.unmonitored_runs,
    hours.running_runs,
    hours.failed_runs,
    hours.pass_rate,
    hours.strict_pass_rate,
    hours.coverage,
    hours.light,
    hours.light_reason,
    coalesce(
      summaries.metrics,
      MAP {}::MAP(VARCHAR, STRUCT(
        latest_value DOUBLE, latest_status VARCHAR, avg_value DOUBLE, trend DOUBLE, display_name VARCHAR, unit VARCHAR
      ))
    ) AS metrics_summary
  FROM application_hours AS hours
  LEFT JOIN summaries USING (application, hour)
  ORDER BY hours.application, hours.hour
) TO $file (
  FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 100000, KV_METADATA {schema_version: $schema, inputs: $inputs}
);
