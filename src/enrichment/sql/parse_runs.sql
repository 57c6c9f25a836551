-- Makes `parsed`: a row per run of `page_runs` with its canonical facts (lists sorted, blanks absent), their digest, and `reason`:
-- why it cannot be read, null if it can.
CREATE OR REPLACE TEMP TABLE parsed AS
WITH checked AS (
  SELECT
    file,
    run,
    r,
    CASE
      WHEN NOT is_text(coalesce(r.info.run_id, '')) THEN 'it has no run_id'
      WHEN NOT regexp_full_match(r.info.run_id, '[A-Za-z0-9_-]{1,64}') THEN 'its run_id is not one'
      WHEN NOT is_text(coalesce(r.info.experiment_id, '')) THEN 'it has no experiment_id'
      WHEN coalesce(r.info.status, '') NOT IN ('RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED')
        THEN 'its status is not one of MLflow''s'
      WHEN coalesce(r.info.lifecycle_stage, '') NOT IN ('active', 'deleted')
        THEN 'its lifecycle_stage is not one of MLflow''s'
      -- 253402300799999 ms is the last instant of the year 9999.
      WHEN r.info.start_time NOT BETWEEN 0 AND 253402300799999 THEN 'its start_time is not a time'
      WHEN r.info.end_time NOT BETWEEN 0 AND 253402300799999 THEN 'its end_time is not a time'
      WHEN r.data.metrics IS NULL AND coalesce(json_type(run, '$.data.metrics'), 'NULL') <> 'NULL'
        THEN 'its metrics are not a list of metrics'
      WHEN r.data.params IS NULL AND coalesce(json_type(run, '$.data.params'), 'NULL') <> 'NULL'
        THEN 'its params are not a list of params'
      WHEN r.data.tags IS NULL AND coalesce(json_type(run, '$.data.tags'), 'NULL') <> 'NULL'
        THEN 'its tags are not a list of tags'
      WHEN len(list_filter(r.data.metrics, lambda m: m.key IS NULL OR m.value IS NULL)) > 0
        THEN 'one of its metrics has no key, or a value, step or timestamp that is not a number'
      WHEN len(list_filter(r.data.params, lambda p: p.key IS NULL)) > 0 THEN 'one of its params has no key'
      WHEN len(list_filter(r.data.tags, lambda t: t.key IS NULL)) > 0 THEN 'one of its tags has no key'
    END AS reason
  FROM page_runs
),
canonical AS (
  SELECT
    file,
    reason,
    CASE WHEN reason IS NOT NULL THEN CAST(run AS VARCHAR) END AS record,
    r.info.run_id AS run_id,
    CASE WHEN is_text(r.info.run_name) THEN r.info.run_name END AS run_name,
    r.info.experiment_id AS experiment_id,
    CASE WHEN is_text(r.info.user_id) THEN r.info.user_id END AS user_id,
    r.info.status AS run_status,
    nullif(r.info.start_time, 0) AS start_ms,
    nullif(r.info.end_time, 0) AS end_ms,
    r.info.lifecycle_stage AS lifecycle_stage,
    -- list_sort compares the fields in this order.
    list_sort(list_transform(
      list_filter(coalesce(r.data.metrics, []), lambda m: is_text(m.key)),
      lambda m: {
        key: m.key,
        "timestamp": coalesce(m."timestamp", 0),
        step: coalesce(m.step, 0),
        value: m.value,
        model_id: CASE WHEN is_text(m.model_id) THEN m.model_id END,
        dataset_name: CASE WHEN is_text(m.dataset_name) THEN m.dataset_name END,
        dataset_digest: CASE WHEN is_text(m.dataset_digest) THEN m.dataset_digest END
      }
    )) AS metrics,
    list_filter(
      coalesce(r.data.params, []),
      lambda p: is_text(p.key) AND is_text(p.value)
    ) AS params,
    list_filter(
      coalesce(r.data.tags, []),
      lambda t: is_text(t.key) AND is_text(t.value)
    ) AS tags,
    CAST(coalesce(r.inputs, '{}') AS VARCHAR) AS inputs
  FROM checked
),
keys AS (
  SELECT
    *,
    list_transform(metrics, lambda m: m.key) AS metric_keys,
    list_transform(params, lambda p: p.key) AS param_keys,
    list_transform(tags, lambda t: t.key) AS tag_keys
  FROM canonical
),
facts AS (
  SELECT
    file,
    reason,
    record,
    run_id,
    run_name,
    experiment_id,
    user_id,
    run_status,
    start_ms,
    end_ms,
    lifecycle_stage,
    -- Of entries with the same key one is kept. MLflow sends no key twice, so the slow branch is rare.
    CASE WHEN list_unique(metric_keys) = len(metrics) THEN metrics
      ELSE list_filter(metrics, lambda m, i: i = len(metrics) OR metrics[i + 1].key <> m.key) END AS metrics,
    map_from_entries(list_sort(
      CASE WHEN list_unique(param_keys) = len(params) THEN params
        ELSE list_filter(params, lambda p, i: NOT list_contains(param_keys[i + 1:], p.key)) END
    )) AS params,
    map_from_entries(list_sort(
      CASE WHEN list_unique(tag_keys) = len(tags) THEN tags
        ELSE list_filter(tags, lambda t, i: NOT list_contains(tag_keys[i + 1:], t.key)) END
    )) AS tags,
    inputs
  FROM keys
)
SELECT
  *,
  CASE WHEN reason IS NULL THEN sha256(to_json({
    run_id: run_id, run_name: run_name, experiment_id: experiment_id, user_id: user_id, run_status: run_status,
    start_ms: start_ms, end_ms: end_ms, lifecycle_stage: lifecycle_stage, metrics: metrics, params: params, tags: tags,
    inputs: inputs
  })::VARCHAR) END AS content_digest
FROM facts;
