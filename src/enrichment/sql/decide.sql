-- Makes `decided`: a `MergeDecision` (domain/merge-precedence.ts) for each run of the part $part, of $files, of the day $day in
-- `facts` and for each stored run in `gone`. Reads `facts`, `gone` and `stored`, the rows of this part.
-- Different content replaces the stored row only if its request certainly began after the stored response was read. That was
-- between `began` and the full duration of the request after `date`, which itself may lag by $date_lag (ms).
-- $server_now: the tracking server's clock, requested after `stored` was read, ms; null if it was not requested. A stored time
-- ahead of it is wrong: without `overrule`, no response could replace the row until the clock catches up.
-- `undecided`: the newest content may not be in the base yet, so later pipeline runs fetch the run again.
-- `stored_is_ahead`: the stored row stays and has the later time; $server_now shows whether that time is wrong.
CREATE OR REPLACE TEMP TABLE decided AS
WITH incoming AS (
  SELECT run_id, experiment_id, content_digest, date_ms, began_ms, torn, false AS gone
  FROM facts
  WHERE day = CAST($day AS DATE) AND part_of(run_id, $files) = $part
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
