-- Makes `day_series`: a number for each series with eligible rows in the `enriched_metrics` file $enriched, by name, with the
-- limits of its newest row.
CREATE OR REPLACE TEMP TABLE day_series AS
SELECT
  (row_number() OVER (ORDER BY application, metric_name) - 1)::DOUBLE AS series,
  application,
  metric_name,
  max_by(
    {
      higher_is_better: higher_is_better,
      warning_threshold: warning_threshold,
      critical_threshold: critical_threshold,
      min_value: min_value,
      max_value: max_value
    },
    file_row_number
  ) AS limits
FROM read_parquet($enriched, file_row_number = true)
WHERE eligible
GROUP BY application, metric_name;
