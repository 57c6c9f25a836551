-- One row: `content`, the digest of the facts in `merged`, whatever their order and the times of observation. Runs that are
-- gone are left out: a store that never saw them has the same content.
SELECT sha256(coalesce(
  string_agg(run_id || content_digest, chr(10) ORDER BY run_id) FILTER (lifecycle_stage <> 'gone'), ''
)) AS content
FROM merged;
