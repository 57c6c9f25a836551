-- Makes `active`: a row per active run of the base objects $bases in an experiment in scope whose application is in the part
-- $part of $files, with its names and whether it counts (`eligible`), but without its params and tags. `settled`: it has ended, or
-- is judged while it runs. `ignored_child`: it is a child run and does not count, by its tag `monitor.nested` ($read_nested: if
-- that counts), else by that of its experiment or a pattern of the latter's name (`nested`), else by $count_nested_runs and the
-- patterns of applications $counted_applications (for LIKE, with \ as escape). `batch`: in which it is written ($batch_bytes: see
-- heavy-rows.ts). $experiments: JSON, [{experiment_id, name, tag, nested}], the experiments in scope; $excluded: metric names out of
-- scope; $application_tag: the tag that names the application.
CREATE OR REPLACE TEMP TABLE active AS
WITH experiments AS (
  SELECT unnest(
    from_json($experiments, '[{"experiment_id": "VARCHAR", "name": "VARCHAR", "tag": "VARCHAR", "nested": "VARCHAR"}]'),
    recursive := true
  )
),
-- Before the window below: it keeps its input in memory, which must not contain params and tags.
named AS (
  SELECT
    run.date,
    run."timestamp",
    run.run_id,
    coalesce(run.run_name, run.tags['mlflow.runName'], left(run.run_id, 8)) AS run_name,
    run.experiment_id,
    experiments.name AS experiment_name,
    coalesce(run.tags[$application_tag], experiments.tag, experiments.name, run.experiment_id) AS application,
    coalesce(run.tags['mlflow.user'], run.user_id) AS user_id,
    run.run_status,
    run.start_time,
    run.end_time,
    run.tags['mlflow.parentRunId'] AS parent_run_id,
    run.run_status IN ('FINISHED', 'FAILED', 'KILLED')
      OR $judge_running
      OR coalesce(run.tags['monitor.judge'] = 'running', false) AS settled,
    run.tags['mlflow.parentRunId'] IS NOT NULL AND NOT CASE
      WHEN $read_nested AND run.tags['monitor.nested'] IN ('count', 'ignore') THEN run.tags['monitor.nested'] = 'count'
      WHEN experiments.nested IS NOT NULL THEN experiments.nested = 'count'
      ELSE $count_nested_runs OR len(list_filter(
        CAST($counted_applications AS VARCHAR[]), lambda pattern: like_escape(application, pattern, '\')
      )) > 0
    END AS ignored_child,
    settled AND NOT ignored_child AS eligible,
    list_filter(run.metrics, lambda m: NOT list_contains(CAST($excluded AS VARCHAR[]), m.key)) AS metrics,
    heavy_bytes(run.params, run.tags, 0) AS bytes
  FROM read_parquet($bases) AS run
  JOIN experiments USING (experiment_id)
  WHERE run.lifecycle_stage = 'active' AND part_of(application, $files) = $part
)
SELECT
  *,
  ((sum(bytes) OVER (ORDER BY application, "timestamp", run_id) - bytes) // $batch_bytes)::INTEGER AS batch
FROM named;
