/** The characters that JavaScript's `trim` removes. SQL needs the list because its own `trim` removes only spaces. */
export const WHITE_SPACE =
  '\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff';

/** The text, or null if it is absent, empty or blank. */
export function nonBlank(text: string | null): string | null {
  return text === null || text.trim() === '' ? null : text;
}

/** Halves of surrogate pairs become U+FFFD, as when the text is stored: UTF-8 cannot contain them. */
export const wellFormed = (text: string): string => text.replaceAll(/[\uD800-\uDFFF]/gu, '\uFFFD');

/** Compares by UTF-8 bytes, which is the order of code points, not JavaScript's order of UTF-16 units. Negative, 0 or positive. */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    // If the texts first differ in the second half of a surrogate pair, comparing those halves gives the same order.
    if (a.charCodeAt(i) !== b.charCodeAt(i)) return (a.codePointAt(i) ?? 0) - (b.codePointAt(i) ?? 0);
  }
  return a.length - b.length;
}

/** The number of code points in a text. */
export function codePointCount(text: string): number {
  let length = 0;
  for (const _ of text) length++;
  return length;
}

/** A size with its unit, rounded to at most three digits: `32 MiB`, `1.5 GiB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${Number(value.toPrecision(3))} ${units[unit]}`;
}

/** C0, C1, direction marks, and the line separators of Unicode: invisible, and obeyed by terminals. */
const CONTROLS = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;

/**
 * Text of others for a terminal or a file: control characters become visible as in JSON (`\u001b`), so that they neither move a
 * cursor nor begin a line. JSON stays the same document.
 */
export const escapeControls = (text: string): string =>
  text.replaceAll(CONTROLS, (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** The same for a text of several lines. Lines after the first are indented, so that none looks like a line of its own. */
export const escapeLines = (text: string): string => text.split(/\r?\n/).map(escapeControls).join('\n    ');

/** Shorter secrets would also replace what is none, and protect nothing. */
const MIN_SECRET_LENGTH = 4;

/** The characters that HTML names. */
const ENTITIES: Readonly<Record<string, string>> = {
  '&': 'amp',
  '<': 'lt',
  '>': 'gt',
  '"': 'quot',
  "'": 'apos',
};

/** A regular expression for a character as it is, and as URLs, JSON and HTML write it. */
function writtenForms(character: string): string {
  if (/^\w$/.test(character)) return character;
  const code = character.codePointAt(0) ?? 0;
  const hex = code.toString(16).padStart(2, '0');
  const entity = ENTITIES[character];
  const forms = [
    character,
    encodeURIComponent(character),
    ...(character === ' ' ? ['+'] : []),
    JSON.stringify(character).slice(1, -1),
    `\\${character}`,
    ...(code < 0x1_00_00 ? [`\\u${hex.padStart(4, '0')}`] : []),
    `&#${code};`,
    `&#0${code};`,
    ...(entity ? [`&${entity};`] : []),
    ...[hex, hex.toUpperCase()].flatMap((digits) => [
      `&#x${digits};`,
      ...(code < 0x80 ? [`%${digits}`] : []),
    ]),
  ];
  return `(?:${[...new Set(forms)].map((form) => form.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&')).join('|')})`;
}

/**
 * Replaces secrets by `***`, also where they are encoded for a URL, JSON or HTML: servers repeat what they were sent.
 * @param secrets `undefined` for those that are not set
 */
export function hideSecrets(text: string, secrets: readonly (string | undefined)[]): string {
  const forms = secrets
    .filter((secret) => secret !== undefined && secret.length >= MIN_SECRET_LENGTH)
    .sort((a = '', b = '') => b.length - a.length)
    .map((secret = '') => [...wellFormed(secret)].map(writtenForms).join(''));
  return forms.length === 0 ? text : text.replaceAll(new RegExp(forms.join('|'), 'gu'), '***');
}
