-- Returns the ids of the runs in `facts` that are among $run_ids (JSON, a list of ids).
SELECT run_id
FROM facts
WHERE run_id IN (SELECT unnest(from_json($run_ids, '["VARCHAR"]')));
