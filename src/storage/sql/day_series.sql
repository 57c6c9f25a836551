-- Makes `day_series`: a row per series of the eligible rows of an `enriched_metrics` file, with its newest point.
CREATE OR REPLACE TEMP TABLE day_series AS
SELECT
  (row_number() OVER (ORDER BY application, metric_name) - 1)::DOUBLE AS series,
  application,
  metric_name,
  -- A struct, because max_by ignores rows whose value is null. Rows are sorted by time and run_id within a series.
  max_by(
    {"timestamp": "timestamp", "value": "value", status: status, display_name: display_name, unit: unit},
    file_row_number
  ) AS newest
FROM read_parquet($enriched, file_row_number = true)
WHERE eligible
GROUP BY application, metric_name;
