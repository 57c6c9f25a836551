import type { DuckSession } from './duck.js';

/** Cached footers by path: the file of a fetched object never changes. Cleared when it is full. */
const footers = new Map<string, ReadonlyMap<string, string>>();
const MAX_FOOTERS = 10_000;

/**
 * A value of a Parquet file's metadata, such as `inputs`; `undefined` if the file has none of that name.
 * @param file the local copy of an object, as returned by `fetch` of the store
 */
export async function readFooter(
  session: DuckSession,
  file: string,
  name: string,
): Promise<string | undefined> {
  let footer = footers.get(file);
  if (!footer) {
    const rows = await session.rows<{ key: string; value: string }>(
      'SELECT decode(key) AS key, decode(value) AS value FROM parquet_kv_metadata($file)',
      { file },
    );
    footer = new Map(rows.map(({ key, value }) => [key, value]));
    if (footers.size >= MAX_FOOTERS) footers.clear();
    footers.set(file, footer);
  }
  return footer.get(name);
}
