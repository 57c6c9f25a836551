-- Returns a row per threshold change that gave a metric of some runs another status: how many runs. Compares `judged` with
-- `judged_before`. $pairs: JSON, [{change, experiment_id, metric_name}], the metrics that each change (its index) applies to.
WITH pairs AS (
  SELECT unnest(
    from_json($pairs, '[{"change": "INTEGER", "experiment_id": "VARCHAR", "metric_name": "VARCHAR"}]'),
    recursive := true
  )
)
SELECT pairs.change, count(DISTINCT judged.run_id)::INTEGER AS runs
FROM judged
JOIN judged_before USING (run_id, metric_name)
JOIN active USING (run_id)
JOIN pairs ON pairs.experiment_id = active.experiment_id AND pairs.metric_name = judged.metric_name
WHERE judged.status <> judged_before.status
GROUP BY pairs.change
ORDER BY pairs.change;
