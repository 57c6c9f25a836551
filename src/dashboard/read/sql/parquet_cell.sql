-- Creates `cell`: Parquet needs no protection of texts.
CREATE OR REPLACE TEMP MACRO cell(content) AS content;
