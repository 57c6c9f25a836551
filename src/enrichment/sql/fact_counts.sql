-- Returns one row: how many runs `facts` has, and how many metrics they have.
SELECT
  count(*)::INTEGER AS runs,
  coalesce(sum(len(metrics)), 0)::INTEGER AS metrics
FROM facts;
