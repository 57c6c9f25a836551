-- Returns how many distinct records `parsed` has of each experiment: runs that can be read by their id, others by their content.
SELECT experiment_id, count(*)::INTEGER AS records
FROM (
  SELECT min(experiment_id) AS experiment_id
  FROM parsed
  GROUP BY reason IS NULL, CASE WHEN reason IS NULL THEN run_id ELSE record END
)
GROUP BY experiment_id
ORDER BY experiment_id;
