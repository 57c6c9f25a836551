-- Returns a row per eligible row of $enriched after $after (ms), by series and time: the number of its series, its time (ms
-- since $from), its value (NaN if it has none) and its row in its file.
SELECT
  series.series,
  (epoch_ms("timestamp") - $from)::DOUBLE AS time,
  coalesce("value", 'NaN'::DOUBLE) AS "value",
  file_row_number::DOUBLE AS "row"
FROM read_parquet($enriched, file_row_number = true)
JOIN series USING (application, metric_name)
WHERE eligible AND epoch_ms("timestamp") > $after
ORDER BY series.series, date, file_row_number;
