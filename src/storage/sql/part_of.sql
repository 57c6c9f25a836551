-- Makes the macro `part_of`: the part of a run id or an application among `files` parts, as `partOf` (parts.ts) computes it.
CREATE MACRO part_of(string, files) AS
  CASE WHEN files = 1 THEN 0 ELSE (('0x' || left(sha256(string), 8))::UINTEGER % files)::INTEGER END;
