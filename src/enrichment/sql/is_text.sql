-- Makes the macro `is_text`: whether a text has a character that is not white space; null for null. Nearly every text begins with
-- a visible ASCII character, and `trim` takes 20 times as long as this comparison. A macro takes no parameters: the characters
-- that make up a blank text replace {white_space}.
CREATE MACRO is_text(string) AS
  CASE WHEN string BETWEEN '!' AND '~' THEN true ELSE trim(string, '{white_space}') <> '' END;
