import { readFile, writeFile } from 'node:fs/promises';
import { inSlices } from '../config/event-loop.js';
import type { Steps } from '../domain/steps.js';

/** A surrogate pair, half of one, another escape, a quote, or a control character. */
const TOKENS =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is repaired
  /\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|\\u[dD][89a-fA-F][\da-fA-F]{2}|\\.|["\u0000-\u001f]/gs;
const HALF = /^\\u[dD][89a-fA-F]..$/;
/** Characters of the longest token. */
const MAX_TOKEN = 12;
/** Characters that are repaired at once: about 10 ms. */
const PIECE = 256 * 1024;

/**
 * Repairs what DuckDB rejects with the whole page: control characters within a text become escapes, and what no UTF-8 text can
 * contain becomes U+FFFD: halves of surrogate pairs (`\ud800`) and bytes that are not UTF-8. A byte order mark is removed.
 */
export function* repairJson(text: string): Steps<string> {
  const pieces: string[] = [];
  let inText = false;
  const repair = (found: string): string => {
    if (found === '"') inText = !inText;
    else if (found < ' ') return inText ? `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}` : found;
    else if (HALF.test(found)) return '\\ufffd';
    return found;
  };
  for (let begin = text.startsWith('\ufeff') ? 1 : 0; begin < text.length; ) {
    let end = Math.min(text.length, begin + PIECE);
    // No token may lie across the end of a piece.
    while (end < text.length && text.slice(end - MAX_TOKEN, end).includes('\\')) end++;
    pieces.push(text.slice(begin, end).replace(TOKENS, repair));
    begin = end;
    yield;
  }
  return pieces.join('');
}

/** Repairs the page in this file. @returns its size, bytes */
export async function repairPage(file: string): Promise<number> {
  // Decoding replaces the bytes that are not UTF-8.
  const repaired = Buffer.from(await inSlices(repairJson(await readFile(file, 'utf8'))));
  await writeFile(file, repaired);
  return repaired.length;
}
