-- Returns the parts, of $files, of the runs of the day $day in `facts` and `gone`, sorted.
SELECT DISTINCT part_of(run_id, $files) AS part
FROM (SELECT run_id, day FROM facts UNION ALL SELECT run_id, day FROM gone)
WHERE day = CAST($day AS DATE)
ORDER BY part;
