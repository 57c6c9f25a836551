-- Returns the number of runs in `shown_runs` that start at or after $to (ms).
SELECT count(*)::INTEGER AS runs FROM shown_runs WHERE "time" >= $to;
