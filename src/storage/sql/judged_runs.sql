-- Makes the table macro `judged_runs`: the rows of the files `files` of `runs`. Files of schema versions before 3 lack `ignored_child`:
-- then a child run counts if `counts_nested`.
CREATE MACRO judged_runs(files, counts_nested) AS TABLE
SELECT * REPLACE (coalesce(ignored_child, parent_run_id IS NOT NULL AND NOT counts_nested) AS ignored_child)
FROM (
  SELECT NULL::BOOLEAN AS ignored_child WHERE false
  UNION ALL BY NAME
  SELECT * FROM read_parquet(files, union_by_name = true)
);
