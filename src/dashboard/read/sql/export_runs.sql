-- Creates `exported` from `listed`: runs as a table, times from ISO 8601.
CREATE OR REPLACE TEMP TABLE exported AS
SELECT
  "at"::TIMESTAMPTZ AS "timestamp",
  cell(run_id) AS run_id,
  cell(run_name) AS run_name,
  cell(application) AS application,
  cell(experiment_id) AS experiment_id,
  cell(experiment_name) AS experiment_name,
  cell(user_id) AS user_id,
  cell(run_status) AS run_status,
  started_at::TIMESTAMPTZ AS started_at,
  ended_at::TIMESTAMPTZ AS ended_at,
  cell(parent_run_id) AS parent_run_id,
  eligible,
  status,
  evaluated_metrics,
  total_metrics,
  cell(worst_metric) AS worst_metric,
  worst_value,
  worst_status,
  children
FROM listed
ORDER BY n;
