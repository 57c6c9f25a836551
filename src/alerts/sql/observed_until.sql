-- When the newest run of the files $base was first observed (ms); null if there is none.
SELECT epoch_ms(max(first_observed_at))::DOUBLE AS observed_until FROM read_parquet($base);
