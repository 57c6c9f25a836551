-- At most $limit runs of $application in [$from, $to) (ms) from the files $runs, newest first, of equal times the largest run_id first: the
-- children of $parent, or if that is '', the runs that are not the child of another run of these files. Only those with $status, unless
-- it is '', and only those after the place ($before_time, $before_id) in this order.
WITH own AS (
  SELECT
    run_id,
    run_name,
    application,
    experiment_id,
    experiment_name,
    strftime(date, '%Y-%m-%d') AS "day",
    epoch_ms("timestamp")::DOUBLE AS "time",
    epoch_ms(start_time)::DOUBLE AS started,
    epoch_ms(end_time)::DOUBLE AS ended,
    user_id,
    run_status,
    parent_run_id,
    eligible,
    status,
    evaluated_metrics,
    total_metrics
  FROM read_parquet($runs)
  WHERE application = $application AND epoch_ms("timestamp") >= $from AND epoch_ms("timestamp") < $to
)
SELECT *
FROM own
WHERE CASE
    WHEN $parent = '' THEN parent_run_id IS NULL OR parent_run_id NOT IN (SELECT run_id FROM own)
    ELSE parent_run_id = $parent
  END
  AND ($status = '' OR status = $status)
  AND ("time", run_id) < ($before_time, $before_id)
ORDER BY "time" DESC, run_id DESC
LIMIT $limit;
