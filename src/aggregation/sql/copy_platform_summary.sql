-- Writes the dataset `platform_summary` of one day to $file, from `platform_hours` (counts, rates, light, trend) and the files of that day's `runs` ($runs).
COPY (
  WITH runs AS (
    SELECT application, run_id, eligible, "timestamp", epoch_ms(date_trunc('hour', "timestamp"))::DOUBLE AS hour
    FROM judged_runs($runs, $count_nested_runs)
    WHERE NOT ignored_child
  ),
  lists AS (
    SELECT
      hour,
      list(run_id ORDER BY "timestamp" DESC, run_id) FILTER (eligible) AS run_ids,
      list_sort(list(DISTINCT application)) AS applications
    FROM runs
    GROUP BY hour
  )
  SELECT
    make_timestamp((hours.hour * 1000)::BIGINT)::DATE AS date,
    make_timestamp((hours.hour * 1000)::BIGINT)::TIMESTAMPTZ AS "timestamp",
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
    hours.pass_rate_trend,
    coalesce(lists.run_ids, [])[:5] AS recent_run_ids,
    lists.applications AS active_applications
  FROM platform_hours AS hours
  JOIN lists USING (hour)
  ORDER BY hours.hour
) TO $file (
  FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 100000, KV_METADATA {schema_version: $schema, inputs: $inputs}
);
