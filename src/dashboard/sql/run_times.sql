-- The times (ms) of the eligible runs of $applications before $to (ms), oldest first, from the files $runs.
SELECT application, epoch_ms("timestamp")::DOUBLE AS "time"
FROM read_parquet($runs)
WHERE eligible AND list_contains($applications, application) AND epoch_ms("timestamp") < $to
ORDER BY application, "timestamp";
