import { DuckDBInstance } from '@duckdb/node-api';

/** Runs a query in a DuckDB of its own. @returns rows as objects */
export async function query(statement, values) {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    await connection.run("SET TimeZone = 'UTC'");
    return (await connection.runAndReadAll(statement, values)).getRowObjectsJS();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

const text = (value) => `'${value.replaceAll("'", "''")}'`;
export const parquet = (folder, dataset) => `read_parquet(${text(`${folder}/${dataset}/*/*/*/*.parquet`)})`;
export const json = (files) =>
  `read_json([${files.map(text).join(', ')}], format = 'unstructured', columns = {runs: 'JSON[]'}, maximum_object_size = 67108864)`;

/**
 * Compares two relations with the same columns, row by row.
 * @param keys the columns that identify a row
 * @param columns expressions over the row: `{ name: 'exact' | 'close' }`; close: relative difference of at most 1e-9
 * @throws {Error} with the first difference
 * @returns the number of cells that are equal
 */
export async function compareCells(name, left, right, keys, columns) {
  const quoted = (column) => `"${column}"`;
  const join = keys.map((key) => `a.${quoted(key)} IS NOT DISTINCT FROM b.${quoted(key)}`).join(' AND ');
  const differs = Object.entries(columns).map(([column, how]) => {
    const [x, y] = [`a.${quoted(column)}`, `b.${quoted(column)}`];
    const different = `${x} IS DISTINCT FROM ${y}`;
    return how === 'exact'
      ? different
      : `(${different} AND NOT coalesce(abs(${x} - ${y}) <= 1e-9 * greatest(abs(${x}), abs(${y}), 1e-3), false))`;
  });
  // The text of a row is made only of those that differ.
  const statement = `
    SELECT count(*)::DOUBLE AS rows, count(*) FILTER (wrong)::DOUBLE AS wrong,
      any_value(CASE WHEN wrong THEN {a: a, b: b}::VARCHAR END) AS sample
    FROM (
      SELECT a, b, a.present IS NULL OR b.present IS NULL OR ${differs.join(' OR ')} AS wrong
      FROM (SELECT *, true AS present FROM ${left}) AS a
      FULL JOIN (SELECT *, true AS present FROM ${right}) AS b ON ${join}
    )`;
  const [{ rows, wrong, sample }] = await query(statement);
  if (rows === 0) throw new Error(`${name}: there is nothing to compare`);
  if (wrong > 0) throw new Error(`${name}: ${wrong} of ${rows} rows differ, such as ${sample}`);
  return rows * (keys.length + differs.length);
}
