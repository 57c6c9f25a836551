-- Returns the ids of the runs in `active`.
SELECT run_id
FROM active;
