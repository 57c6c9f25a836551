-- Makes `points`: a row per eligible run and metric of the files $enriched. `series` numbers the pairs of application and
-- metric, `point` the rows by series and time.
CREATE OR REPLACE TEMP TABLE points AS
SELECT
  (row_number() OVER by_series - 1)::DOUBLE AS point,
  (dense_rank() OVER (ORDER BY application, metric_name) - 1)::DOUBLE AS series,
  application,
  metric_name,
  "timestamp",
  run_id,
  "value",
  status,
  display_name,
  unit
FROM read_parquet($enriched)
WHERE eligible
WINDOW by_series AS (ORDER BY application, metric_name, "timestamp", run_id);
