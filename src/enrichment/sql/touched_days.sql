-- Returns the days of the runs in `facts` and `gone`, newest first; runs without a time have none.
SELECT DISTINCT CAST(day AS VARCHAR) AS day
FROM (SELECT day FROM facts UNION ALL SELECT day FROM gone)
WHERE day IS NOT NULL
ORDER BY day DESC;
