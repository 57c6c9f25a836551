-- How the newest run of `judged` shows the metric: at most one row.
SELECT display_name, unit, higher_is_better FROM judged ORDER BY n DESC LIMIT 1;
