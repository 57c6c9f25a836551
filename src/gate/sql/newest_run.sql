-- Returns the newest run of the application $application in `active` that counts, and its time (ms); no row if there is none.
SELECT run_id, epoch_ms("timestamp")::DOUBLE AS "time"
FROM active
WHERE application = $application AND eligible
ORDER BY "timestamp" DESC, run_id DESC
LIMIT 1;
