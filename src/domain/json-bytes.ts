/** Finds places in JSON text as UTF-8. The bytes of characters beyond ASCII are above 0x7f, so none of them looks like syntax. */

export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const COLON = 0x3a;
export const [OPENING_BRACKET, CLOSING_BRACKET] = [0x5b, 0x5d];
export const [OPENING_BRACE, CLOSING_BRACE] = [0x7b, 0x7d];
const BACKSLASH = 0x5c;

/** @param unit a byte of UTF-8 or a unit of UTF-16 */
export const isSpace = (unit: number | undefined): boolean =>
  unit === 0x20 || unit === 0x0a || unit === 0x0d || unit === 0x09;

/** The index after spaces. */
export function skipSpaces(json: Buffer, from: number): number {
  let at = from;
  while (isSpace(json[at])) at++;
  return at;
}

/** The index after the text that begins with the quotation mark at `begin`; the end of the JSON if it does not end. */
export function endOfText(json: Buffer, begin: number): number {
  for (let at = json.indexOf(QUOTE, begin + 1); at >= 0; at = json.indexOf(QUOTE, at + 1)) {
    let escapes = 0;
    while (json[at - 1 - escapes] === BACKSLASH) escapes++;
    if (escapes % 2 === 0) return at + 1;
  }
  return json.length;
}
