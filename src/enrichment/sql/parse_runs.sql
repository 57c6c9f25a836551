-- Makes `parsed`: a row per run of `raw_runs` with its canonical facts (lists sorted, blanks absent) and `reason`: why it cannot
-- be read, null if it can. Values are read as text first, so that a wrong type affects one run and not the whole page.
-- $white_space: the characters that make up a blank text.
CREATE OR REPLACE TEMP TABLE parsed AS
WITH typed AS (
  SELECT
    file,
    run,
    json_transform(run, '{
      "info": {
        "run_id": "VARCHAR", "run_name": "VARCHAR", "experiment_id": "VARCHAR", "user_id": "VARCHAR",
        "status": "VARCHAR", "start_time": "VARCHAR", "end_time": "VARCHAR", "lifecycle_stage": "VARCHAR"
      },
      "data": {
        "metrics": [{
          "key": "VARCHAR", "value": "VARCHAR", "step": "VARCHAR", "timestamp": "VARCHAR",
          "model_id": "VARCHAR", "dataset_name": "VARCHAR", "dataset_digest": "VARCHAR"
        }],
        "params": [{"key": "VARCHAR", "value": "VARCHAR"}],
        "tags": [{"key": "VARCHAR", "value": "VARCHAR"}]
      },
      "inputs": "JSON"
    }') AS r
  FROM raw_runs
),
checked AS (
  SELECT
    file,
    run,
    r,
    CASE
      WHEN trim(coalesce(r.info.run_id, ''), $white_space) = '' THEN 'it has no run_id'
      WHEN NOT regexp_full_match(r.info.run_id, '[A-Za-z0-9_-]{1,64}') THEN 'its run_id is not one'
      WHEN trim(coalesce(r.info.experiment_id, ''), $white_space) = '' THEN 'it has no experiment_id'
      WHEN coalesce(r.info.status, '') NOT IN ('RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED')
        THEN 'its status is not one of MLflow''s'
      WHEN coalesce(r.info.lifecycle_stage, '') NOT IN ('active', 'deleted')
        THEN 'its lifecycle_stage is not one of MLflow''s'
      -- 253402300799999 ms is the last instant of the year 9999.
      WHEN r.info.start_time IS NOT NULL
        AND coalesce(try_cast(r.info.start_time AS BIGINT) NOT BETWEEN 0 AND 253402300799999, true)
        THEN 'its start_time is not a time'
      WHEN r.info.end_time IS NOT NULL
        AND coalesce(try_cast(r.info.end_time AS BIGINT) NOT BETWEEN 0 AND 253402300799999, true)
        THEN 'its end_time is not a time'
      WHEN r.data.metrics IS NULL AND coalesce(json_type(run, '$.data.metrics'), 'NULL') <> 'NULL'
        THEN 'its metrics are not a list of metrics'
      WHEN r.data.params IS NULL AND coalesce(json_type(run, '$.data.params'), 'NULL') <> 'NULL'
        THEN 'its params are not a list of params'
      WHEN r.data.tags IS NULL AND coalesce(json_type(run, '$.data.tags'), 'NULL') <> 'NULL'
        THEN 'its tags are not a list of tags'
      WHEN len(list_filter(r.data.metrics, lambda m:
        m.key IS NULL
        OR try_cast(m.value AS DOUBLE) IS NULL
        OR (m.step IS NOT NULL AND try_cast(m.step AS BIGINT) IS NULL)
        OR (m."timestamp" IS NOT NULL AND try_cast(m."timestamp" AS BIGINT) IS NULL)
      )) > 0 THEN 'one of its metrics has no key, or a value, step or timestamp that is not a number'
      WHEN len(list_filter(r.data.params, lambda p: p.key IS NULL)) > 0 THEN 'one of its params has no key'
      WHEN len(list_filter(r.data.tags, lambda t: t.key IS NULL)) > 0 THEN 'one of its tags has no key'
    END AS reason
  FROM typed
),
canonical AS (
  SELECT
    file,
    reason,
    CASE WHEN reason IS NOT NULL THEN CAST(run AS VARCHAR) END AS record,
    r.info.run_id AS run_id,
    CASE WHEN trim(r.info.run_name, $white_space) <> '' THEN r.info.run_name END AS run_name,
    r.info.experiment_id AS experiment_id,
    CASE WHEN trim(r.info.user_id, $white_space) <> '' THEN r.info.user_id END AS user_id,
    r.info.status AS run_status,
    nullif(try_cast(r.info.start_time AS BIGINT), 0) AS start_ms,
    nullif(try_cast(r.info.end_time AS BIGINT), 0) AS end_ms,
    r.info.lifecycle_stage AS lifecycle_stage,
    -- list_sort compares the fields in this order.
    list_sort(list_transform(
      list_filter(coalesce(r.data.metrics, []), lambda m: trim(m.key, $white_space) <> ''),
      lambda m: {
        key: m.key,
        "timestamp": coalesce(try_cast(m."timestamp" AS BIGINT), 0),
        step: coalesce(try_cast(m.step AS BIGINT), 0),
        value: try_cast(m.value AS DOUBLE),
        model_id: CASE WHEN trim(m.model_id, $white_space) <> '' THEN m.model_id END,
        dataset_name: CASE WHEN trim(m.dataset_name, $white_space) <> '' THEN m.dataset_name END,
        dataset_digest: CASE WHEN trim(m.dataset_digest, $white_space) <> '' THEN m.dataset_digest END
      }
    )) AS metrics,
    list_filter(coalesce(r.data.params, []), lambda p: trim(p.key, $white_space) <> '' AND trim(p.value, $white_space) <> '') AS params,
    list_filter(coalesce(r.data.tags, []), lambda t: trim(t.key, $white_space) <> '' AND trim(t.value, $white_space) <> '') AS tags,
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
)
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
  CASE WHEN len(list_distinct(metric_keys)) = len(metrics) THEN metrics
    ELSE list_filter(metrics, lambda m, i: i = len(metrics) OR metrics[i + 1].key <> m.key) END AS metrics,
  map_from_entries(list_sort(
    CASE WHEN len(list_distinct(param_keys)) = len(params) THEN params
      ELSE list_filter(params, lambda p, i: NOT list_contains(param_keys[i + 1:], p.key)) END
  )) AS params,
  map_from_entries(list_sort(
    CASE WHEN len(list_distinct(tag_keys)) = len(tags) THEN tags
      ELSE list_filter(tags, lambda t, i: NOT list_contains(tag_keys[i + 1:], t.key)) END
  )) AS tags,
  inputs
FROM keys;
