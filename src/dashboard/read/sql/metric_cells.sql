-- Per metric of `judged` and cell of $cell_ms since $from (ms) with a run: the index of the cell, the worst status, and the median (the
-- smaller of two middle ones), the smallest and the largest valid value.
SELECT
  metric_name,
  floor(("time" - $from) / $cell_ms) AS cell,
  ['critical', 'invalid', 'warning', 'healthy', 'unmonitored'][
    min(list_position(['critical', 'invalid', 'warning', 'healthy', 'unmonitored'], status))
  ] AS status,
  quantile_disc("value", 0.5) AS median,
  min("value") AS min,
  max("value") AS max
FROM judged
WHERE "time" >= $from
GROUP BY metric_name, cell
ORDER BY metric_name, cell;
