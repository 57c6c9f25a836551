-- The newest eligible run of each application before $to (ms), from `shown_runs`; of equal times, the largest run_id.
SELECT application, run_id, run_name, experiment_id, "time"
FROM shown_runs
WHERE eligible AND "time" < $to
QUALIFY row_number() OVER (PARTITION BY application ORDER BY "time" DESC, run_id DESC) = 1
ORDER BY application;
