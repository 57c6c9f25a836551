-- Makes `decided`: what the base of day $day does with each incoming fact: insert, unchanged, replace or supersede
-- (keep the stored row and ask again). The rule: `decideBase` of the domain. Reads `facts`, `gone`, `stored`.
-- $server_now: ms by the tracking server's clock, asked after `stored` was read; 0 if it was not asked.
CREATE OR REPLACE TEMP TABLE decided AS
WITH incoming AS (
  SELECT run_id, content_digest, date_ms, began_ms, torn, false AS gone
  FROM facts
  WHERE day = CAST($day AS DATE)
  UNION ALL
  SELECT gone.run_id, 'gone', gone.date_ms, gone.began_ms, false, true
  FROM gone
  WHERE gone.day = CAST($day AS DATE) AND gone.run_id NOT IN (SELECT run_id FROM facts)
    AND gone.run_id IN (SELECT run_id FROM stored)
)
SELECT
  incoming.run_id,
  incoming.gone,
  incoming.torn,
  CASE
    WHEN stored.run_id IS NULL THEN 'insert'
    WHEN stored.content_digest = incoming.content_digest THEN 'unchanged'
    WHEN incoming.gone AND stored.lifecycle_stage = 'gone' THEN 'unchanged'
    WHEN incoming.began_ms > epoch_ms(stored.observed_at) THEN 'replace'
    WHEN $server_now > 0 AND epoch_ms(stored.observed_at) > $server_now THEN 'replace'
    ELSE 'supersede'
  END AS decision,
  stored.run_id IS NOT NULL AND epoch_ms(stored.observed_at) > incoming.date_ms AS stored_is_ahead
FROM incoming
LEFT JOIN stored USING (run_id);
