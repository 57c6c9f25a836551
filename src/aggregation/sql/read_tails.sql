-- Returns the rows of the files $tails of `_tails` whose application is in the part $part of $files, by series.
SELECT application, metric_name, times, "values", week, weekly, parameters, points_digest, state
FROM read_parquet($tails)
WHERE part_of(application, $files) = $part
ORDER BY application, metric_name;
