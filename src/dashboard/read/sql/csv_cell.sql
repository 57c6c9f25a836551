-- Creates `cell`: spreadsheets take a text that begins with one of = + - @, a tab or a line break for a formula, unless an apostrophe
-- precedes it.
CREATE OR REPLACE TEMP MACRO cell(content) AS
  CASE WHEN regexp_matches(content, '^[-=+@\t\r\n]') THEN '''' || content ELSE content END;
