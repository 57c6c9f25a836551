-- Returns how many runs `facts` has of each experiment and day (null: without a time).
SELECT experiment_id, CAST(day AS VARCHAR) AS day, count(*)::INTEGER AS runs
FROM facts
GROUP BY experiment_id, day
ORDER BY experiment_id, day;
