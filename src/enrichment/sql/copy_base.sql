-- Writes the rows of one day's base object after the decisions in `decided`, from $first to $last, sorted by run_id, to $file, with
-- the content digest of the day ($content) in the footer.
-- Reads `facts`, `gone`, `stored_rows` and `decided`. `observed_at`: when the response was made; `asked_at`: when its request began.
COPY (
  SELECT stored_rows.*
  FROM stored_rows
  WHERE run_id BETWEEN $first AND $last
    AND run_id NOT IN (SELECT run_id FROM decided WHERE decision IN ('replace', 'overrule'))
  UNION ALL BY NAME
  SELECT
    stored_rows.* REPLACE (
      'gone' AS lifecycle_stage,
      sha256('gone ' || stored_rows.content_digest) AS content_digest,
      make_timestamp(gone.date_ms * 1000)::TIMESTAMPTZ AS observed_at,
      make_timestamp(gone.began_ms * 1000)::TIMESTAMPTZ AS asked_at,
      make_timestamp(gone.date_ms * 1000)::TIMESTAMPTZ AS changed_at
    )
  FROM stored_rows
  JOIN decided USING (run_id)
  JOIN gone USING (run_id)
  WHERE stored_rows.run_id BETWEEN $first AND $last AND decided.gone AND decided.decision IN ('replace', 'overrule')
  UNION ALL BY NAME
  SELECT
    facts.day AS date,
    make_timestamp(facts.time_ms * 1000)::TIMESTAMPTZ AS "timestamp",
    facts.run_id,
    facts.run_name,
    facts.experiment_id,
    facts.user_id,
    facts.run_status,
    make_timestamp(facts.start_ms * 1000)::TIMESTAMPTZ AS start_time,
    make_timestamp(facts.end_ms * 1000)::TIMESTAMPTZ AS end_time,
    facts.lifecycle_stage,
    facts.params,
    facts.tags,
    facts.inputs,
    facts.metrics,
    facts.content_digest,
    make_timestamp(facts.date_ms * 1000)::TIMESTAMPTZ AS observed_at,
    make_timestamp(facts.began_ms * 1000)::TIMESTAMPTZ AS asked_at,
    coalesce(stored_rows.first_observed_at, make_timestamp(facts.date_ms * 1000)::TIMESTAMPTZ) AS first_observed_at,
    make_timestamp(facts.date_ms * 1000)::TIMESTAMPTZ AS changed_at
  FROM facts
  JOIN decided USING (run_id)
  LEFT JOIN stored_rows USING (run_id)
  WHERE facts.run_id BETWEEN $first AND $last AND NOT decided.gone AND decided.decision IN ('insert', 'replace', 'overrule')
  ORDER BY run_id
) TO $file (
  FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 100000,
  KV_METADATA {schema_version: '1', content: $content}
);
