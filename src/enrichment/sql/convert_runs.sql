-- Makes `page_runs` as read_runs.sql does, from `raw_runs`: what is not of its type affects one run and not the whole page. It
-- becomes null, but a time that is not a number -1, and the value of a metric null if its step or timestamp is not a number, so
-- that parse_runs.sql rejects them. `run`: the run as MLflow sent it.
CREATE OR REPLACE TEMP TABLE page_runs AS
WITH texts AS (
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
          "key": "VARCHAR", "timestamp": "VARCHAR", "step": "VARCHAR", "value": "VARCHAR",
          "model_id": "VARCHAR", "dataset_name": "VARCHAR", "dataset_digest": "VARCHAR"
        }],
        "params": [{"key": "VARCHAR", "value": "VARCHAR"}],
        "tags": [{"key": "VARCHAR", "value": "VARCHAR"}]
      },
      "inputs": "JSON"
    }') AS r
  FROM raw_runs
)
SELECT
  file,
  run,
  {
    info: {
      run_id: r.info.run_id,
      run_name: r.info.run_name,
      experiment_id: r.info.experiment_id,
      user_id: r.info.user_id,
      status: r.info.status,
      start_time: CASE WHEN r.info.start_time IS NOT NULL THEN coalesce(try_cast(r.info.start_time AS BIGINT), -1) END,
      end_time: CASE WHEN r.info.end_time IS NOT NULL THEN coalesce(try_cast(r.info.end_time AS BIGINT), -1) END,
      lifecycle_stage: r.info.lifecycle_stage
    },
    data: {
      metrics: list_transform(r.data.metrics, lambda m: {
        key: m.key,
        "timestamp": try_cast(m."timestamp" AS BIGINT),
        step: try_cast(m.step AS BIGINT),
        value: CASE
          WHEN (m.step IS NULL OR try_cast(m.step AS BIGINT) IS NOT NULL)
            AND (m."timestamp" IS NULL OR try_cast(m."timestamp" AS BIGINT) IS NOT NULL)
          THEN try_cast(m.value AS DOUBLE) END,
        model_id: m.model_id,
        dataset_name: m.dataset_name,
        dataset_digest: m.dataset_digest
      }),
      params: r.data.params,
      tags: r.data.tags
    },
    inputs: r.inputs
  } AS r
FROM texts;
