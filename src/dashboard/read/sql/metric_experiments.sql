-- The experiments of the runs in `judged`.
SELECT DISTINCT experiment_id FROM judged ORDER BY experiment_id;
