-- Makes `page_answers`: a row per page file with the time of its answer. $answers: JSON, [{file, date, began}], ms.
CREATE OR REPLACE TEMP TABLE page_answers AS
SELECT unnest(
  from_json($answers, '[{"file": "VARCHAR", "date": "BIGINT", "began": "BIGINT"}]'),
  recursive := true
);
