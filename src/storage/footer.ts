import type { DuckSession } from './duck.js';

/** A value of a Parquet file's own metadata, such as `inputs`; undefined if the file has none of that name. */
export async function readFooter(
  session: DuckSession,
  file: string,
  name: string,
): Promise<string | undefined> {
  const [row] = await session.rows<{ value: string }>(
    'SELECT decode(value) AS value FROM parquet_kv_metadata($file) WHERE decode(key) = $name',
    { file, name },
  );
  return row?.value;
}
