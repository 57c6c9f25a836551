import { readFile, writeFile } from 'node:fs/promises';

/** A surrogate pair, half of one, or another escape. */
const ESCAPES =
  /\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|\\u[dD][89a-fA-F][\da-fA-F]{2}|\\./gs;
const HALF = /^\\u[dD][89a-fA-F]..$/;

/**
 * Replaces what no UTF-8 text can contain, and what DuckDB therefore rejects with the whole page, by U+FFFD: halves of
 * surrogate pairs (`\ud800`) and bytes that are not UTF-8.
 */
export function repairJson(text: string): string {
  return text.replace(ESCAPES, (found) => (HALF.test(found) ? '\\ufffd' : found));
}

/** Repairs the page in this file. @returns its size, bytes */
export async function repairPage(file: string): Promise<number> {
  // Decoding replaces the bytes that are not UTF-8.
  const repaired = Buffer.from(repairJson(await readFile(file, 'utf8')));
  await writeFile(file, repaired);
  return repaired.length;
}
