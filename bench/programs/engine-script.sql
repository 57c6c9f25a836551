-- The work of the engine as one hand-written script over the stored pages: without durability, late data, exact sums and
-- quarantine. $files: pages, none larger than $bytes; the tables `rules` and `experiments` exist. Sentences and limits are the service's defaults.
CREATE MACRO percent_text(part, whole) AS
  (((2000 * part + whole) // (2 * whole)) // 10)::VARCHAR || '.' || (((2000 * part + whole) // (2 * whole)) % 10)::VARCHAR || ' %';
CREATE MACRO runs_text(n) AS CASE WHEN n = 1 THEN '1 run' ELSE n::VARCHAR || ' runs' END;
CREATE MACRO are(n) AS CASE WHEN n = 1 THEN ' is ' ELSE ' are ' END;
CREATE MACRO evaluated(c) AS c.total - c.unmonitored;
CREATE MACRO light_of(c) AS CASE
  WHEN c.total = 0 THEN 'no_data'
  WHEN 100 * c.critical > 20 * evaluated(c) OR 100 * (c.healthy + c.warning) < 80 * evaluated(c) THEN 'critical'
  WHEN 100 * (c.critical + c.invalid) > 5 * evaluated(c) OR 100 * c.healthy < 80 * evaluated(c) OR 100 * c.failed > 50 * c.total THEN 'warning'
  WHEN evaluated(c) = 0 THEN 'unmonitored'
  ELSE 'healthy' END;
CREATE MACRO without_text(n) AS CASE WHEN n = 1 THEN '1 has' ELSE n::VARCHAR || ' have' END;
CREATE MACRO parts_text(c) AS array_to_string(list_filter([
  CASE WHEN c.warning = 1 THEN '1 is a warning' WHEN c.warning > 1 THEN c.warning::VARCHAR || ' are warnings' END,
  CASE WHEN c.critical > 0 THEN c.critical::VARCHAR || are(c.critical) || 'critical' END,
  CASE WHEN c.invalid > 0 THEN c.invalid::VARCHAR || are(c.invalid) || 'invalid' END,
  CASE WHEN c.unmonitored > 0 THEN without_text(c.unmonitored) || ' no threshold' END
], lambda part: part IS NOT NULL), ', ');
CREATE MACRO reason_of(c) AS CASE
  WHEN c.total = 0 THEN 'No run in the last 24 h.'
  WHEN 100 * c.critical > 20 * evaluated(c) THEN
    c.critical::VARCHAR || ' of ' || runs_text(evaluated(c)) || are(c.critical) || 'critical (' || percent_text(c.critical, evaluated(c)) || '); the limit is 20 %.'
  WHEN 100 * (c.healthy + c.warning) < 80 * evaluated(c) THEN
    'The pass rate is ' || percent_text(c.healthy + c.warning, evaluated(c)) || '; the limit is 80 %.'
  WHEN 100 * (c.critical + c.invalid) > 5 * evaluated(c) THEN
    (c.critical + c.invalid)::VARCHAR || ' of ' || runs_text(evaluated(c)) || are(c.critical + c.invalid) || 'critical or invalid ('
      || percent_text(c.critical + c.invalid, evaluated(c)) || '); the limit is 5 %.'
  WHEN 100 * c.healthy < 80 * evaluated(c) THEN 'The strict pass rate is ' || percent_text(c.healthy, evaluated(c)) || '; the limit is 80 %.'
  WHEN 100 * c.failed > 50 * c.total THEN c.failed::VARCHAR || ' of ' || runs_text(c.total) || ' failed (' || percent_text(c.failed, c.total) || '); the limit is 50 %.'
  WHEN evaluated(c) = 0 THEN CASE WHEN c.total = 1 THEN 'The run has no threshold.' ELSE 'None of the ' || runs_text(c.total) || ' has a threshold.' END
  WHEN c.healthy = evaluated(c) AND c.unmonitored = 0 THEN CASE WHEN c.total = 1 THEN 'The run is healthy.' ELSE 'All ' || c.total::VARCHAR || ' runs are healthy.' END
  WHEN c.healthy = evaluated(c) THEN
    CASE WHEN evaluated(c) = 1 THEN 'The run with a threshold is healthy' ELSE 'All ' || evaluated(c)::VARCHAR || ' runs with a threshold are healthy' END
      || '; ' || without_text(c.unmonitored) || ' none.'
  ELSE c.healthy::VARCHAR || ' of ' || runs_text(c.total) || are(c.healthy) || 'healthy, ' || parts_text(c) || '.' END;
CREATE MACRO rate(part, whole) AS CASE WHEN whole = 0 THEN NULL ELSE 100 * part / whole END;

CREATE TABLE active AS
WITH read AS (
  SELECT unnest(runs) AS r
  FROM read_json($files, format = 'unstructured', maximum_object_size = $bytes, columns = {runs: 'STRUCT(
    info STRUCT(run_id VARCHAR, run_name VARCHAR, experiment_id VARCHAR, user_id VARCHAR, status VARCHAR, start_time BIGINT, end_time BIGINT, lifecycle_stage VARCHAR),
    "data" STRUCT(metrics STRUCT("key" VARCHAR, "value" DOUBLE, step BIGINT, "timestamp" BIGINT)[], params STRUCT("key" VARCHAR, "value" VARCHAR)[], tags STRUCT("key" VARCHAR, "value" VARCHAR)[]))[]'})
),
typed AS (
  SELECT DISTINCT ON (r.info.run_id) r.info AS i, list_sort(r.data.metrics) AS metrics,
    map_from_entries(list_sort(r.data.params)) AS params, map_from_entries(list_sort(r.data.tags)) AS tags
  FROM read
)
SELECT
  make_timestamp(i.start_time * 1000)::DATE AS date,
  make_timestamp(i.start_time * 1000)::TIMESTAMPTZ AS "timestamp",
  i.run_id,
  coalesce(i.run_name, tags['mlflow.runName'], left(i.run_id, 8)) AS run_name,
  i.experiment_id,
  experiments.name AS experiment_name,
  coalesce(tags['application'], experiments.name) AS application,
  coalesce(tags['mlflow.user'], i.user_id) AS user_id,
  i.status AS run_status,
  make_timestamp(i.start_time * 1000)::TIMESTAMPTZ AS start_time,
  make_timestamp(i.end_time * 1000)::TIMESTAMPTZ AS end_time,
  tags['mlflow.parentRunId'] AS parent_run_id,
  parent_run_id IS NULL AND i.status IN ('FINISHED', 'FAILED', 'KILLED') AS eligible,
  params, tags, metrics
FROM typed JOIN experiments ON experiments.experiment_id = i.experiment_id
WHERE i.lifecycle_stage = 'active';

CREATE TABLE judged AS
WITH logged AS (SELECT * EXCLUDE (metrics, params, tags, start_time, end_time, parent_run_id), unnest(metrics) AS m FROM active)
SELECT
  logged.* EXCLUDE (m), m."key" AS metric_name,
  CASE WHEN NOT isnan(m."value") THEN m."value" END AS "value",
  m.step AS step, make_timestamp(m."timestamp" * 1000)::TIMESTAMPTZ AS metric_timestamp,
  NULL::VARCHAR AS model_id, NULL::VARCHAR AS dataset_name,
  display_name, NULL::VARCHAR AS description, unit, NULL::VARCHAR AS category, higher_is_better,
  critical_threshold, warning_threshold, CASE WHEN critical_threshold IS NOT NULL THEN 'platform' END AS threshold_source,
  threshold_updated_at, NULL::VARCHAR AS threshold_updated_by,
  CASE WHEN critical_threshold IS NULL THEN 'unmonitored' WHEN isnan(m."value") THEN 'invalid'
    WHEN m."value" < critical_threshold THEN 'critical' WHEN m."value" < warning_threshold THEN 'warning' ELSE 'healthy' END AS status,
  CASE WHEN isnan(m."value") THEN 'nan' END AS invalid_kind,
  NULL::DOUBLE AS min_value, NULL::DOUBLE AS max_value
FROM logged JOIN rules ON rules.metric_name = m."key"
ORDER BY date, application, metric_name, "timestamp", run_id;

CREATE TABLE run_rows AS
WITH verdicts AS (
  SELECT run_id, min(list_position(['critical', 'invalid', 'warning', 'healthy', 'unmonitored'], status)) AS worst,
    count(*) FILTER (status <> 'unmonitored')::INTEGER AS evaluated_metrics
  FROM judged GROUP BY run_id
)
SELECT active.* EXCLUDE (params, tags, metrics),
  coalesce(['critical', 'invalid', 'warning', 'healthy', 'unmonitored'][worst], 'unmonitored') AS status,
  coalesce(evaluated_metrics, 0)::INTEGER AS evaluated_metrics, len(metrics)::INTEGER AS total_metrics, params, tags,
  map_from_entries(list_transform(metrics, lambda m: {"key": m."key", "value": CASE WHEN NOT isnan(m."value") THEN m."value" END})) AS run_summary_metrics,
  parent_run_id IS NOT NULL AS ignored_child
FROM active LEFT JOIN verdicts USING (run_id)
ORDER BY date, application, "timestamp", run_id;
DROP TABLE active;

CREATE TABLE timeseries AS
SELECT date, "timestamp", run_id, run_name, user_id, application, metric_name, "value", status,
  avg("value") OVER (PARTITION BY application, metric_name ORDER BY "timestamp" RANGE BETWEEN INTERVAL 86399999 MILLISECONDS PRECEDING AND CURRENT ROW) AS moving_avg,
  NULL::DOUBLE AS forecast, critical_threshold, warning_threshold, display_name, unit
FROM judged WHERE eligible
ORDER BY date, application, metric_name, "timestamp", run_id;

CREATE TABLE hours AS
SELECT application, date_trunc('hour', "timestamp") AS hour, count(*) FILTER (eligible)::INTEGER AS total,
  count(*) FILTER (eligible AND status = 'critical')::INTEGER AS critical, count(*) FILTER (eligible AND status = 'warning')::INTEGER AS warning,
  count(*) FILTER (eligible AND status = 'healthy')::INTEGER AS healthy, count(*) FILTER (eligible AND status = 'invalid')::INTEGER AS invalid,
  count(*) FILTER (eligible AND status = 'unmonitored')::INTEGER AS unmonitored,
  count(*) FILTER (run_status IN ('RUNNING', 'SCHEDULED'))::INTEGER AS running,
  count(*) FILTER (eligible AND run_status IN ('FAILED', 'KILLED'))::INTEGER AS failed
FROM run_rows WHERE parent_run_id IS NULL GROUP BY ALL;

CREATE TABLE metric_hours AS
WITH partial AS (
  SELECT application, metric_name, date_trunc('hour', "timestamp") AS hour, count("value") AS n, sum("value") AS v, sum(t) AS t, sum(t * t) AS tt, sum(t * "value") AS tv,
    min("timestamp") FILTER ("value" IS NOT NULL) AS oldest, max("timestamp") FILTER ("value" IS NOT NULL) AS newest,
    arg_max({v: "value", s: status, d: display_name, u: unit}, ("timestamp", run_id)) AS latest
  FROM (SELECT *, CASE WHEN "value" IS NOT NULL THEN (epoch_ms("timestamp") - $origin)::DOUBLE END AS t FROM timeseries)
  GROUP BY ALL
),
grid AS (
  SELECT * FROM (SELECT application, hour FROM hours) JOIN (SELECT DISTINCT application, metric_name FROM partial) USING (application)
),
spans AS (
  SELECT application, metric_name, hour, last_value(latest IGNORE NULLS) OVER week AS latest, sum(n) OVER week AS n, sum(v) OVER week AS v,
    sum(t) OVER week AS t, sum(tt) OVER week AS tt, sum(tv) OVER week AS tv, min(oldest) OVER week AS oldest, max(newest) OVER week AS newest
  FROM grid LEFT JOIN partial USING (application, metric_name, hour)
  WINDOW week AS (PARTITION BY application, metric_name ORDER BY hour RANGE BETWEEN INTERVAL 167 HOURS PRECEDING AND CURRENT ROW)
)
SELECT application, hour, map_from_entries(list_sort(list({"key": metric_name, "value": {
    latest_value: latest.v, latest_status: latest.s, avg_value: v / n,
    trend: CASE WHEN n >= 3 AND newest - oldest >= INTERVAL 1 HOUR THEN (n * tv - t * v) / (n * tt - t * t) * 86400000 END,
    display_name: latest.d, unit: latest.u}}))) AS metrics_summary
FROM spans WHERE latest IS NOT NULL GROUP BY application, hour;

CREATE TABLE application_rows AS
SELECT hour::DATE AS date, hour AS "timestamp", application, total AS total_runs, critical AS critical_runs, warning AS warning_runs, healthy AS healthy_runs,
  invalid AS invalid_runs, unmonitored AS unmonitored_runs, running AS running_runs, failed AS failed_runs,
  rate(healthy + warning, total - unmonitored) AS pass_rate, rate(healthy, total - unmonitored) AS strict_pass_rate, rate(total - unmonitored, total) AS coverage,
  light_of(span) AS light, reason_of(span) AS light_reason, metrics_summary
FROM (
  SELECT *, {total: sum(total) OVER day, critical: sum(critical) OVER day, warning: sum(warning) OVER day, healthy: sum(healthy) OVER day,
    invalid: sum(invalid) OVER day, unmonitored: sum(unmonitored) OVER day, failed: sum(failed) OVER day} AS span
  FROM hours
  WINDOW day AS (PARTITION BY application ORDER BY hour RANGE BETWEEN INTERVAL 23 HOURS PRECEDING AND CURRENT ROW)
) LEFT JOIN metric_hours USING (application, hour)
ORDER BY date, application, hour;

CREATE TABLE platform_rows AS
WITH summed AS (
  SELECT hour, sum(total)::INTEGER AS total, sum(critical)::INTEGER AS critical, sum(warning)::INTEGER AS warning, sum(healthy)::INTEGER AS healthy,
    sum(invalid)::INTEGER AS invalid, sum(unmonitored)::INTEGER AS unmonitored, sum(running)::INTEGER AS running, sum(failed)::INTEGER AS failed
  FROM hours GROUP BY hour
),
spans AS (
  SELECT *, {total: sum(total) OVER day, critical: sum(critical) OVER day, warning: sum(warning) OVER day, healthy: sum(healthy) OVER day,
    invalid: sum(invalid) OVER day, unmonitored: sum(unmonitored) OVER day, failed: sum(failed) OVER day} AS span,
    rate(sum(healthy + warning) OVER before, sum(total - unmonitored) OVER before) AS rate_before
  FROM summed
  WINDOW day AS (ORDER BY hour RANGE BETWEEN INTERVAL 23 HOURS PRECEDING AND CURRENT ROW),
    before AS (ORDER BY hour RANGE BETWEEN INTERVAL 47 HOURS PRECEDING AND INTERVAL 24 HOURS PRECEDING)
),
lists AS (
  SELECT date_trunc('hour', "timestamp") AS hour, list(run_id ORDER BY "timestamp" DESC, run_id) FILTER (eligible) AS run_ids,
    list_sort(list(DISTINCT application)) AS active_applications
  FROM run_rows WHERE parent_run_id IS NULL GROUP BY ALL
)
SELECT hour::DATE AS date, hour AS "timestamp", total AS total_runs, critical AS critical_runs, warning AS warning_runs, healthy AS healthy_runs,
  invalid AS invalid_runs, unmonitored AS unmonitored_runs, running AS running_runs, failed AS failed_runs,
  rate(healthy + warning, total - unmonitored) AS pass_rate, rate(healthy, total - unmonitored) AS strict_pass_rate, rate(total - unmonitored, total) AS coverage,
  light_of(span) AS light, reason_of(span) AS light_reason,
  rate(span.healthy + span.warning, evaluated(span)) - rate_before AS pass_rate_trend, coalesce(run_ids, [])[:5] AS recent_run_ids, active_applications
FROM spans JOIN lists USING (hour)
ORDER BY date, hour;
