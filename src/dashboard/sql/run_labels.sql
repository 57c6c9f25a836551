-- The params and tags of the runs $run_ids, as JSON objects, from the files $runs.
SELECT run_id, to_json(params)::VARCHAR AS params, to_json(tags)::VARCHAR AS tags
FROM read_parquet($runs)
WHERE list_contains($run_ids, run_id)
ORDER BY run_id;
