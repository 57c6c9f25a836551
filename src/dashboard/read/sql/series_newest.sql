-- How the newest of `points` shows the metric, and the number of points: at most one row.
SELECT display_name, unit, higher_is_better, count(*) OVER ()::INTEGER AS total FROM points ORDER BY n DESC LIMIT 1;
