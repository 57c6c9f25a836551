-- Returns a row per eligible row of $enriched, by series and time: the number of its series, its time (ms since $from) and its
-- value (NaN if it has none).
SELECT
  day_series.series,
  (epoch_ms("timestamp") - $from)::DOUBLE AS time,
  coalesce("value", 'NaN'::DOUBLE) AS "value"
FROM read_parquet($enriched, file_row_number = true)
JOIN day_series USING (application, metric_name)
WHERE eligible
ORDER BY file_row_number;
