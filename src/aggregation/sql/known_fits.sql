-- Returns the parameters in the files $tails of `_tails`, and the digests of the points from which they were chosen.
SELECT points_digest, parameters FROM read_parquet($tails);
