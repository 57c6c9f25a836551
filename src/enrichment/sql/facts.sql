-- Makes the view `facts`: the rows of `parsed` that `latest` names, with what it says of them.
CREATE OR REPLACE TEMP VIEW facts AS
SELECT parsed.* EXCLUDE (file, reason, record), latest.* EXCLUDE (parsed_row)
FROM parsed
JOIN latest ON latest.parsed_row = parsed.rowid;
