-- How the newest of `points` shows the metric: at most one row.
SELECT display_name, unit, higher_is_better FROM points ORDER BY n DESC LIMIT 1;
