-- Writes to $file the forecasts of the object $source of `metric_forecast` that were computed only from runs that had ended at $now (ms), as
-- far as runs of the same day tell.
COPY (
  SELECT *
  FROM read_parquet($source) AS forecasts
  WHERE epoch_ms(fitted_at) <= $now AND NOT EXISTS (
    FROM known_runs
    WHERE day = forecasts.date::VARCHAR AND started <= epoch_ms(forecasts.fitted_at) AND ended_at > $now
  )
) TO $file (FORMAT parquet);
