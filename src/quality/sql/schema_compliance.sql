-- Returns a row per application: how many runs and metrics the day has, and how many of them have a status that does not exist or
-- start in the future (after $now, ms), and without an application the records in quarantine of the day.
WITH records AS (
  SELECT
    application,
    CASE
      WHEN coalesce(run_status, '') NOT IN ('RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED')
        THEN 'its run_status does not exist'
      WHEN coalesce(status, '') NOT IN ('healthy', 'warning', 'critical', 'invalid', 'unmonitored')
        THEN 'its status does not exist'
      WHEN "timestamp" > make_timestamp($now * 1000)::TIMESTAMPTZ THEN 'it starts in the future'
    END AS reason,
    run_id
  FROM day_runs
  UNION ALL
  SELECT
    application,
    CASE WHEN coalesce(status, '') NOT IN ('healthy', 'warning', 'critical', 'invalid', 'unmonitored')
      THEN 'the status of its metric ' || metric_name || ' does not exist' END,
    run_id
  FROM day_metrics
  UNION ALL
  SELECT NULL, reason, run_id FROM day_quarantine
)
SELECT
  coalesce(application, '') AS application,
  count(*)::DOUBLE AS rows,
  count(reason)::DOUBLE AS affected,
  to_json(coalesce(
    min({run_id: run_id, reason: reason}, 5) FILTER (reason IS NOT NULL),
    []
  ))::VARCHAR AS sample
FROM records
GROUP BY ALL
ORDER BY application;
