-- Makes `page_runs`: a row per run of the page files ($files, none larger than $bytes) with what is read of it (`r`). Fails if a
-- value is not of its type, or a key appears twice. Numbers are read as text first: the JSON reader itself would turn true into 1
-- and 2.5 into 2. `records`: DuckDB 1.5 takes five times as long to find out that a page is an object.
CREATE OR REPLACE TEMP TABLE page_runs AS
SELECT
  filename AS file,
  NULL::JSON AS run,
  unnest(runs::STRUCT(
    info STRUCT(
      run_id VARCHAR, run_name VARCHAR, experiment_id VARCHAR, user_id VARCHAR,
      status VARCHAR, start_time BIGINT, end_time BIGINT, lifecycle_stage VARCHAR
    ),
    data STRUCT(
      metrics STRUCT(
        "key" VARCHAR, "timestamp" BIGINT, step BIGINT, "value" DOUBLE,
        model_id VARCHAR, dataset_name VARCHAR, dataset_digest VARCHAR
      )[],
      params STRUCT("key" VARCHAR, "value" VARCHAR)[],
      tags STRUCT("key" VARCHAR, "value" VARCHAR)[]
    ),
    inputs JSON
  )[]) AS r
FROM read_json(
  $files,
  format = 'unstructured',
  records = true,
  columns = {runs: 'STRUCT(
    info STRUCT(
      run_id VARCHAR, run_name VARCHAR, experiment_id VARCHAR, user_id VARCHAR,
      status VARCHAR, start_time VARCHAR, end_time VARCHAR, lifecycle_stage VARCHAR
    ),
    data STRUCT(
      metrics STRUCT(
        "key" VARCHAR, "timestamp" VARCHAR, step VARCHAR, "value" VARCHAR,
        model_id VARCHAR, dataset_name VARCHAR, dataset_digest VARCHAR
      )[],
      params STRUCT("key" VARCHAR, "value" VARCHAR)[],
      tags STRUCT("key" VARCHAR, "value" VARCHAR)[]
    ),
    inputs JSON
  )[]'},
  maximum_object_size = $bytes,
  filename = true
);
