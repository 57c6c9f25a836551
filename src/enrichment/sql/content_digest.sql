-- One row: `content`, the digest of the facts in `merged`, whatever their order and the times of observation.
SELECT sha256(coalesce(string_agg(run_id || content_digest, chr(10) ORDER BY run_id), '')) AS content FROM merged;
