import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';

/** Longer values, bytes of JSON, are replaced. */
const MAX_VALUE_BYTES = 64 * 1024;
/** The large values of a dataset in `inputs`. As a key, the text cannot lie within another text: quotes are escaped there. */
const KEYS = ['"profile"', '"schema"', '"source"'].map((key) => Buffer.from(key));
const [QUOTE, BACKSLASH, COLON] = [0x22, 0x5c, 0x3a];
const BLANKS: ReadonlySet<number | undefined> = new Set([0x20, 0x0a, 0x0d, 0x09]);

/** The index after blanks. */
function skipBlanks(json: Buffer, from: number): number {
  let at = from;
  while (BLANKS.has(json[at])) at++;
  return at;
}

/** The index after the text that begins with the quote at `begin`; the end of the page if it does not end. */
function endOfText(json: Buffer, begin: number): number {
  for (let at = json.indexOf(QUOTE, begin + 1); at >= 0; at = json.indexOf(QUOTE, at + 1)) {
    let escapes = 0;
    while (json[at - 1 - escapes] === BACKSLASH) escapes++;
    if (escapes % 2 === 0) return at + 1;
  }
  return json.length;
}

/** The places of long values, in order. */
function longValues(json: Buffer): { begin: number; end: number }[] {
  const found: { begin: number; end: number }[] = [];
  for (const key of KEYS) {
    for (let at = json.indexOf(key); at >= 0; at = json.indexOf(key, at + 1)) {
      const colon = skipBlanks(json, at + key.length);
      if (json[colon] !== COLON) continue;
      const begin = skipBlanks(json, colon + 1);
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
