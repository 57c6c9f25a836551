-- Makes `decided`: the decision of `decideMerge` (domain/merge-precedence.ts) for each run of the day $day in `facts` and for
-- each stored run in `gone`. Reads `facts`, `gone` and `stored`. $date_lag: ms. $server_now: the tracking server's clock,
-- requested after `stored` was read, ms; null if it was not requested.
-- `undecided`: nothing proves that the newest content is in the base now, so later pipeline runs must fetch the run again.
-- `stored_is_ahead`: the stored row is kept and has the later time. Only $server_now shows whether that time is in the future.
CREATE OR REPLACE TEMP TABLE decided AS
WITH incoming AS (
  SELECT run_id, experiment_id, content_digest, date_ms, began_ms, torn, false AS gone
  FROM facts
  WHERE day = CAST($day AS DATE)
  UNION ALL
  SELECT run_id, NULL, 'gone', date_ms, began_ms, false, true
  FROM gone
  WHERE day = CAST($day AS DATE) AND run_id NOT IN (SELECT run_id FROM facts)
    AND run_id IN (SELECT run_id FROM stored)
),
known AS (
  SELECT run_id, experiment_id, content_digest, lifecycle_stage, epoch_ms(observed_at) AS date_ms,
    epoch_ms(asked_at) AS began_ms
  FROM stored
)
SELECT
  incoming.run_id,
  coalesce(incoming.experiment_id, known.experiment_id) AS experiment_id,
  incoming.gone,
  CASE
    WHEN known.run_id IS NULL THEN 'insert'
    WHEN known.content_digest = incoming.content_digest THEN 'unchanged'
    WHEN incoming.gone AND known.lifecycle_stage = 'gone' THEN 'unchanged'
    WHEN incoming.began_ms > known.date_ms + (known.date_ms - known.began_ms) + $date_lag THEN 'replace'
    WHEN known.date_ms > CAST($server_now AS BIGINT) + $date_lag THEN 'overrule'
    ELSE 'supersede'
  END AS decision,
  incoming.torn OR decision IN ('overrule', 'supersede') AS undecided,
  decision = 'supersede' AND known.date_ms > incoming.date_ms AS stored_is_ahead
FROM incoming
LEFT JOIN known USING (run_id);
