-- Makes `series`: a number for each series of the eligible rows in the files $enriched, by name. Only applications in the part
-- $part of $files.
CREATE OR REPLACE TEMP TABLE series AS
SELECT
  (row_number() OVER (ORDER BY application, metric_name) - 1)::DOUBLE AS series,
  application,
  metric_name
FROM read_parquet($enriched)
WHERE eligible AND part_of(application, $files) = $part
GROUP BY application, metric_name;
