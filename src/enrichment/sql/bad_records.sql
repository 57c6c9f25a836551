-- A row per run of `parsed` that cannot be read, as sent, with the reason and the time of the answer it came with (ms).
SELECT DISTINCT ON (parsed.record)
  parsed.run_id,
  parsed.reason,
  parsed.record,
  answers.date::DOUBLE AS observed
FROM parsed
JOIN page_answers AS answers USING (file)
WHERE parsed.reason IS NOT NULL
ORDER BY parsed.record, answers.date;
