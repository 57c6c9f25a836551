import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { COLON, endOfText, QUOTE, skipSpaces } from '../domain/json-bytes.js';

/** Longer values, bytes of JSON, are replaced. */
const MAX_VALUE_BYTES = 64 * 1024;
/** The large values of a dataset in `inputs`. As a key, the text cannot lie within another text: quotes are escaped there. */
const KEYS = ['"profile"', '"schema"', '"source"'].map((key) => Buffer.from(key));

/** The places of long values, in order. */
function longValues(json: Buffer): { begin: number; end: number }[] {
  const found: { begin: number; end: number }[] = [];
  for (const key of KEYS) {
    for (let at = json.indexOf(key); at >= 0; at = json.indexOf(key, at + 1)) {
      const colon = skipSpaces(json, at + key.length);
      if (json[colon] !== COLON) continue;
      const begin = skipSpaces(json, colon + 1);
      if (json[begin] !== QUOTE) continue;
      const end = endOfText(json, begin);
      if (end - begin > MAX_VALUE_BYTES) found.push({ begin, end });
    }
  }
  return found.sort((a, b) => a.begin - b.begin);
}

/**
 * Replaces long profiles, schemas and sources of datasets, which nothing reads, by `{"omitted_bytes", "sha256"}` of their JSON
 * text. MLflow accepts 16 MB for each, and DuckDB needs a multiple of a text to parse it.
 */
export function shortenJson(json: Buffer): Buffer {
  const parts: Buffer[] = [];
  let done = 0;
  for (const { begin, end } of longValues(json)) {
    const sha256 = createHash('sha256').update(json.subarray(begin, end)).digest('hex');
    const marker = { omitted_bytes: end - begin, sha256 };
    parts.push(json.subarray(done, begin), Buffer.from(JSON.stringify(marker)));
    done = end;
  }
  return parts.length === 0 ? json : Buffer.concat([...parts, json.subarray(done)]);
}

/** Shortens the page in this file. @returns its size, bytes */
export async function shortenPage(file: string, bytes: number): Promise<number> {
  if (bytes <= MAX_VALUE_BYTES) return bytes;
  const shortened = shortenJson(await readFile(file));
  if (shortened.length < bytes) await writeFile(file, shortened);
  return shortened.length;
}
