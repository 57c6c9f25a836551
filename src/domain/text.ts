/** The characters of a blank text: those that `trim` takes away, for SQL, whose own `trim` knows only the space. */
export const WHITE_SPACE =
  '\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff';

/** A text that says something: an empty or blank one is absent. */
export function nonBlank(text: string | null): string | null {
  return text === null || text.trim() === '' ? null : text;
}

/** Negative, 0 or positive: the order of the UTF-8 bytes, which is that of the code points (and not JavaScript's). */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    // Where the first difference is inside a surrogate pair, the first halves were equal: the second halves decide alike.
    if (a.charCodeAt(i) !== b.charCodeAt(i)) return (a.codePointAt(i) ?? 0) - (b.codePointAt(i) ?? 0);
  }
  return a.length - b.length;
}

/** The number of code points. */
export function codePointCount(text: string): number {
  let length = 0;
  for (const _ of text) length++;
  return length;
}
