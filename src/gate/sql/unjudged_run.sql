-- Returns the only run of `parsed`: `reason`, why it cannot be read (null if it can), and what may keep it from being judged.
SELECT reason, lifecycle_stage, start_ms IS NOT NULL OR end_ms IS NOT NULL AS has_time
FROM parsed;
