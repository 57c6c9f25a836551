-- Returns one row about the page $file of $bytes bytes: the number of its runs, their ids (null if missing), the start time of
-- the last one (`last_start`, ms; null if it has none), the ids of all runs with that start time (`last_ids`) and the token of
-- the next page (null if there is none).
SELECT
  coalesce(len(runs), 0)::INTEGER AS runs,
  coalesce(list_transform(runs, lambda r: json_extract_string(r, '$.info.run_id')), CAST([] AS VARCHAR[])) AS ids,
  try_cast(json_extract_string(runs[-1], '$.info.start_time') AS BIGINT)::DOUBLE AS last_start,
  coalesce(list_transform(
    list_filter(runs, lambda r: json_extract_string(r, '$.info.start_time') = json_extract_string(runs[-1], '$.info.start_time')),
    lambda r: json_extract_string(r, '$.info.run_id')
  ), CAST([] AS VARCHAR[])) AS last_ids,
  nullif(next_page_token, '') AS token
FROM read_json(
  $file,
  format = 'unstructured',
  columns = {runs: 'JSON[]', next_page_token: 'VARCHAR'},
  maximum_object_size = $bytes
);
