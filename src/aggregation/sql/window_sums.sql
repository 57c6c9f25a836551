-- Returns the sums of the files $sums that the windows of a day's hours consist of, by series and time: the hours of $first_day
-- and the whole days from it to $day. `day` counts from $first_day.
SELECT
  series.series,
  date_diff('day', $first_day::DATE, date)::DOUBLE AS "day",
  CASE WHEN date = $first_day::DATE THEN hours ELSE whole_day END AS sums
FROM read_parquet($sums)
JOIN series USING (application, metric_name)
WHERE date < $day::DATE
ORDER BY series.series, date;
