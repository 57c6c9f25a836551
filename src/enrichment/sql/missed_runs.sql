-- Returns how many runs that have ended are new or changed by the decisions in `decided`, although nothing of them is newer than
-- what deltas had read of their experiment before ($read_until: JSON, [{experiment_id, ms}]).
WITH read_until AS (
  SELECT unnest(from_json($read_until, '[{"experiment_id": "VARCHAR", "ms": "BIGINT"}]'), recursive := true)
)
SELECT count(*)::INTEGER AS runs
FROM decided
JOIN facts USING (run_id)
JOIN read_until ON read_until.experiment_id = facts.experiment_id
WHERE NOT decided.gone
  AND decided.decision IN ('insert', 'replace', 'overrule')
  AND facts.run_status NOT IN ('RUNNING', 'SCHEDULED')
  AND greatest(
    facts.time_ms,
    coalesce(facts.end_ms, 0),
    coalesce(list_max(list_transform(facts.metrics, lambda m: m."timestamp")), 0)
  ) < read_until.ms;
