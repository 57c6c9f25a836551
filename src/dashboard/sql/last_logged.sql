-- Returns for each of $run_ids in the base objects $bases when its last metric was logged (ms); null without one.
SELECT run_id, list_max(list_transform(metrics, lambda m: m."timestamp"))::DOUBLE AS logged
FROM read_parquet($bases)
WHERE run_id IN (SELECT unnest(CAST($run_ids AS VARCHAR[])));
