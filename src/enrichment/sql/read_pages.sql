-- Makes `sent`: a row per run of the pages ($files, none larger than $bytes), as sent; a page without runs gives none.
CREATE OR REPLACE TEMP TABLE sent AS
SELECT filename AS file, unnest(runs) AS run
FROM read_json(
  $files,
  format = 'unstructured',
  columns = {runs: 'JSON[]'},
  maximum_object_size = $bytes,
  filename = true
);
