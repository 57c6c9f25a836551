-- One row: `content`, the digest of the facts in `merged`, whatever their order and the times of observation. A run that is
-- gone adds nothing: a store that never saw it publishes the same.
SELECT sha256(coalesce(
  string_agg(run_id || content_digest, chr(10) ORDER BY run_id) FILTER (lifecycle_stage <> 'gone'), ''
)) AS content
FROM merged;
