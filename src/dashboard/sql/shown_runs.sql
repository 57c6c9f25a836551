-- Makes `shown_runs`: what the page needs of each run in the files $runs, which are read once.
CREATE OR REPLACE TEMP TABLE shown_runs AS
SELECT application, run_id, run_name, experiment_id, epoch_ms("timestamp")::DOUBLE AS "time", run_status, ignored_child, eligible, status
FROM judged_runs($runs, $count_nested_runs);
