-- Makes `gone`: a row per run that MLflow no longer returns. $gone: JSON, [{run_id, day, date, began}]; `date` and `began`: the
-- time of the response without the run, ms.
CREATE OR REPLACE TEMP TABLE gone AS
SELECT
  g.run_id,
  try_cast(g.day AS DATE) AS day,
  g.date AS date_ms,
  g.began AS began_ms
FROM (
  SELECT unnest(from_json(
    $gone,
    '[{"run_id": "VARCHAR", "day": "VARCHAR", "date": "BIGINT", "began": "BIGINT"}]'
  )) AS g
)
QUALIFY row_number() OVER (PARTITION BY g.run_id ORDER BY g.began DESC) = 1;
