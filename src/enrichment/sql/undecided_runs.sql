-- Returns the runs of `decided` that are `undecided`, sorted by run_id.
SELECT run_id, experiment_id
FROM decided
WHERE undecided
ORDER BY run_id;
