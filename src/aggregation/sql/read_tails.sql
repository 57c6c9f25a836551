-- Returns the rows of the files $tails of `_tails` whose application is in the part $part of $files, by series.
SELECT application, metric_name, times, "values", parameters, points_digest
FROM read_parquet($tails)
WHERE part_of(application, $files) = $part
ORDER BY application, metric_name;
