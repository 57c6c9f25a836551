-- Writes the table `exported` to $file.
COPY exported TO $file (FORMAT csv, HEADER, TIMESTAMPFORMAT '%Y-%m-%dT%H:%M:%S.%gZ');
