-- Returns a row per point, in order: its series, its time (ms) and its value (NaN if it has none).
SELECT
  series,
  epoch_ms("timestamp")::DOUBLE AS time,
  coalesce("value", 'NaN'::DOUBLE) AS "value"
FROM points
ORDER BY point;
