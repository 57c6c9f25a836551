-- Returns the rows of the files $sums that the windows of a day's hours consist of, by series and time: the hours of $first_day
-- and the whole days from it to $day. `day` counts from $first_day.
SELECT
  date_diff('day', $first_day::DATE, date)::DOUBLE AS "day",
  series.series,
  hour::DOUBLE AS hour,
  exponent::DOUBLE AS exponent,
  points::DOUBLE AS points,
  valid_points::DOUBLE AS valid_points,
  first_time::DOUBLE AS first_time,
  last_time::DOUBLE AS last_time,
  sum_t::DOUBLE AS sum_t,
  sum_tt,
  sum_tt_rest,
  sum_v,
  sum_v_rest,
  sum_tv,
  sum_tv_rest
FROM read_parquet($sums)
JOIN series USING (application, metric_name)
WHERE (date = $first_day::DATE) = (hour >= 0) AND date < $day::DATE
ORDER BY series.series, date, hour, exponent;
