-- The newest eligible run of each application before $to (ms), from the files $runs; of equal times, the largest run_id.
SELECT application, run_id, run_name, experiment_id, epoch_ms("timestamp")::DOUBLE AS "time"
FROM read_parquet($runs)
WHERE eligible AND epoch_ms("timestamp") < $to
QUALIFY row_number() OVER (PARTITION BY application ORDER BY "timestamp" DESC, run_id DESC) = 1
ORDER BY application;
