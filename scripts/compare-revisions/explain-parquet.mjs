import { DuckDBInstance } from '@duckdb/node-api';

let connected;
const connect = () => {
  connected ??= DuckDBInstance.create().then((instance) => instance.connect());
  return connected;
};

async function rowsOf(statement) {
  const reader = await (await connect()).runAndReadAll(statement);
  return reader.getRowObjectsJson();
}

const quoted = (file) => `'${file.replaceAll("'", "''")}'`;

/** Describes in one line how two Parquet files differ. */
export async function explainParquet(before, after) {
  const [old, young] = [quoted(before), quoted(after)];
  try {
    const columns = (file) =>
      rowsOf(`SELECT column_name, column_type FROM (DESCRIBE FROM read_parquet(${file}))`);
    const [was, is] = [await columns(old), await columns(young)].map((list) => JSON.stringify(list));
    if (was !== is) return `columns: ${was} → ${is}`;
    const names = JSON.parse(was).map(({ column_name }) => column_name);
    const only = (a, b, n) => rowsOf(`FROM read_parquet(${a}) EXCEPT ALL FROM read_parquet(${b}) LIMIT ${n}`);
    const [gone, added] = [await only(old, young, 100_000), await only(young, old, 100_000)];
    if (gone.length + added.length > 0) {
      const differing = names.filter((name) => {
        const values = (rows) => JSON.stringify(rows.map((row) => JSON.stringify(row[name])).sort());
        return values(gone) !== values(added);
      });
      const picked = (row) => row && Object.fromEntries(differing.map((name) => [name, row[name]]));
      const same = (row) =>
        JSON.stringify({ ...row, ...Object.fromEntries(differing.map((name) => [name, 0])) });
      const twin = added.find((row) => same(row) === same(gone[0])) ?? added[0];
      return `${gone.length} rows → ${added.length} other rows, in ${differing.join(', ')}; such as ${JSON.stringify(picked(gone[0]))} → ${JSON.stringify(picked(twin))}`;
    }
    const footer = (file) =>
      rowsOf(
        `SELECT decode(key) AS key, decode(value) AS value FROM parquet_kv_metadata(${file}) ORDER BY 1`,
      );
    const [kept, written] = [await footer(old), await footer(young)].map((list) => JSON.stringify(list));
    return kept === written
      ? 'the rows are equal, but their order or encoding differs'
      : `footer: ${kept} → ${written}`;
  } catch (error) {
    return `cannot be read: ${error instanceof Error ? error.message : error}`;
  }
}
