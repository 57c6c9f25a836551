-- Makes `raw_runs`: a row per run of the page files ($files, none larger than $bytes), exactly as MLflow sent it.
CREATE OR REPLACE TEMP TABLE raw_runs AS
SELECT filename AS file, unnest(runs) AS run
FROM read_json(
  $files,
  format = 'unstructured',
  records = true,
  columns = {runs: 'JSON[]'},
  maximum_object_size = $bytes,
  filename = true
);
