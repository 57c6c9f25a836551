-- Makes `decided`: what the base of day $day does with each incoming fact, by `decideBase` of the domain, and whether the
-- run is to be asked for again (`undecided`). Reads `facts`, `gone`, `stored`.
-- $server_now: ms by the tracking server's clock, asked after `stored` was read; null if it was not asked. $date_lag: ms.
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
