-- Makes `stored_checks` without rows: the columns of an object of `data_quality`.
CREATE OR REPLACE TEMP TABLE stored_checks AS
SELECT NULL::DATE AS date, NULL::TIMESTAMPTZ AS "timestamp", new_checks.* EXCLUDE ("at")
FROM new_checks
WHERE false;
