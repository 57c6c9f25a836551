-- Returns the forecasts of the rows of the day in the file $tails of `_tails`, by series.
SELECT predictions FROM read_parquet($tails) WHERE octet_length(predictions) > 0 ORDER BY application, metric_name;
