-- Returns one row: `content`, the digest of the facts in `merged_keys`, which depends neither on their order nor on when they were
-- observed. Gone runs are left out, so that a store that never saw them publishes the same.
SELECT sha256(coalesce(
  string_agg(run_id || content_digest, chr(10) ORDER BY run_id) FILTER (lifecycle_stage <> 'gone'), ''
)) AS content
FROM merged_keys;
