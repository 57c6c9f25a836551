-- The params and tags of the runs $run_ids, as JSON objects, from the files $runs.
SELECT run_id, to_json(params)::VARCHAR AS params, to_json(tags)::VARCHAR AS tags
FROM read_parquet($runs)
WHERE run_id IN (SELECT unnest($run_ids))
ORDER BY run_id;
