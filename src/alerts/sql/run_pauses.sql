-- The pauses longer than $min (ms) between the eligible runs of all applications before $to (ms), oldest first, from the files $runs: each from a
-- run to the next one (ms). The first row is the first run, with "from" null.
SELECT epoch_ms(previous)::DOUBLE AS "from", epoch_ms("timestamp")::DOUBLE AS "to", epoch_ms(newest)::DOUBLE AS "last"
FROM (
  SELECT "timestamp", lag("timestamp") OVER (ORDER BY "timestamp") AS previous, max("timestamp") OVER () AS newest
  FROM read_parquet($runs)
  WHERE eligible AND epoch_ms("timestamp") < $to
)
WHERE previous IS NULL OR epoch_ms("timestamp") - epoch_ms(previous) > $min
ORDER BY "to";
