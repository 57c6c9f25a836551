import type { DuckSession } from './duck.js';

/** Footers by path: the bytes behind the path of a fetched object never change. Forgotten all at once when there are many. */
const known = new Map<string, ReadonlyMap<string, string>>();
const MOST_KNOWN = 10_000;

/**
 * A value of a Parquet file's own metadata, such as `inputs`; undefined if the file has none of that name.
 * @param file the local copy of an object, as the store's `fetch` gives it
 */
export async function readFooter(
  session: DuckSession,
  file: string,
  name: string,
): Promise<string | undefined> {
  let footer = known.get(file);
  if (!footer) {
    const rows = await session.rows<{ key: string; value: string }>(
      'SELECT decode(key) AS key, decode(value) AS value FROM parquet_kv_metadata($file)',
      { file },
    );
    footer = new Map(rows.map(({ key, value }) => [key, value]));
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(file, footer);
  }
  return footer.get(name);
}
