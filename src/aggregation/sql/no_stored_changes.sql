-- Makes `stored_changes` without rows: the columns of an object of `threshold_changes`.
CREATE OR REPLACE TEMP TABLE stored_changes AS
SELECT NULL::DATE AS date, NULL::TIMESTAMPTZ AS "timestamp", changes.* EXCLUDE (changed_at)
FROM changes
WHERE false;
