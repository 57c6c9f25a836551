-- Returns a row per distinct record of `parsed` that cannot be read: the record as MLflow sent it, the reason, and the time of
-- the first response that has it (`observed`, ms).
SELECT DISTINCT ON (parsed.record)
  parsed.run_id,
  parsed.experiment_id,
  parsed.reason,
  parsed.record,
  page_times.date::DOUBLE AS observed
FROM parsed
JOIN page_times USING (file)
WHERE parsed.reason IS NOT NULL
ORDER BY parsed.record, page_times.date;
