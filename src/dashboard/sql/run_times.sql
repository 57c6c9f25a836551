-- The times (ms) of the eligible runs before $to of the applications $applications in the files $runs, oldest first.
SELECT application, epoch_ms("timestamp")::DOUBLE AS "time"
FROM read_parquet($runs)
WHERE eligible AND list_contains($applications, application) AND epoch_ms("timestamp") < $to
ORDER BY application, "timestamp";
