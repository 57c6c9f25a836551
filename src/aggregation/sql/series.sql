-- Makes `series`: a number for each pair of application and metric of the files $sums, by name, with its newest point on the
-- days before $day. Only applications in the part $part of $files.
CREATE OR REPLACE TEMP TABLE series AS
SELECT
  (row_number() OVER (ORDER BY application, metric_name) - 1)::DOUBLE AS series,
  application,
  metric_name,
  max_by(
    {"timestamp": "timestamp", "value": "value", status: status, display_name: display_name, unit: unit},
    date
  ) FILTER (date < $day::DATE) AS before
FROM read_parquet($sums)
WHERE part_of(application, $files) = $part
GROUP BY application, metric_name;
