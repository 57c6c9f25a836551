-- Writes the dataset `application_summary` of one day to $file, from `application_hours` (counts, rates, light), `points` and
-- `metric_spans` (per series and hour: the newest point, and mean and trend of the 7 days that end with the hour).
COPY (
  WITH summaries AS (
    SELECT
      points.application,
      metric_spans.hour,
      map_from_entries(list_sort(list({
        "key": points.metric_name,
        "value": {
          latest_value: points."value",
          latest_status: points.status,
          avg_value: metric_spans.avg_value,
          trend: metric_spans.trend,
          display_name: points.display_name,
          unit: points.unit
        }
      }))) AS metrics
    FROM metric_spans
    JOIN points USING (point)
    GROUP BY points.application, metric_spans.hour
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
  FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 100000, KV_METADATA {schema_version: '1', inputs: $inputs}
);
