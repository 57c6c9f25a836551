-- Makes `page_times`: a row per local page file with the time of its response: `date` and `began`, ms.
-- $pages: JSON, [{file, date, began}].
CREATE OR REPLACE TEMP TABLE page_times AS
SELECT unnest(
  from_json($pages, '[{"file": "VARCHAR", "date": "BIGINT", "began": "BIGINT"}]'),
  recursive := true
);
