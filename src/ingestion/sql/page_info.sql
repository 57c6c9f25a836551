-- Returns one row about the page $file of $bytes bytes: the number of its runs, their ids (null if missing), the start time of
-- the last one (`last_start`, ms; null if it has none) and the token of the next page (null if there is none).
SELECT
  coalesce(len(runs), 0)::INTEGER AS runs,
  coalesce(list_transform(runs, lambda r: json_extract_string(r, '$.info.run_id')), CAST([] AS VARCHAR[])) AS ids,
  try_cast(json_extract_string(runs[-1], '$.info.start_time') AS BIGINT)::DOUBLE AS last_start,
  nullif(next_page_token, '') AS token
FROM read_json(
  $file,
  format = 'unstructured',
  columns = {runs: 'JSON[]', next_page_token: 'VARCHAR'},
  maximum_object_size = $bytes
);
