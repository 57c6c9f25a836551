/** Whether the name holds a wildcard: `*` (any characters, also none) or `?` (one). Nothing else is special. */
export function isPattern(name: string): boolean {
  return name.includes('*') || name.includes('?');
}

const STAR = 0x2a;
const QUESTION_MARK = 0x3f;

/**
 * Whether the whole name matches the pattern; case counts, `?` is one code point.
 * Only the last `*` is ever tried again, so the time is at most the product of the two lengths, whatever the pattern.
 */
export function matches(pattern: string, name: string): boolean {
  let at = 0;
  let inName = 0;
  // Where to go on when the text after the last `*` does not fit: one character later.
  let afterStar = -1;
  let retryAt = 0;
  while (inName < name.length) {
    const wanted = pattern.codePointAt(at);
    const got = name.codePointAt(inName);
    if (wanted === STAR) {
      afterStar = ++at;
      retryAt = inName;
    } else if (wanted !== undefined && (wanted === QUESTION_MARK || wanted === got)) {
      at += widthOf(wanted);
      inName += widthOf(got);
    } else if (afterStar >= 0) {
      retryAt += widthOf(name.codePointAt(retryAt));
      inName = retryAt;
      at = afterStar;
    } else {
      return false;
    }
  }
  while (pattern.codePointAt(at) === STAR) at++;
  return at === pattern.length;
}

/** UTF-16 units of a code point. */
function widthOf(codePoint: number | undefined): number {
  return codePoint !== undefined && codePoint > 0xffff ? 2 : 1;
}

/** Whether the name matches an include (without any: every name does) and no exclude. */
export function passes(name: string, include: readonly string[], exclude: readonly string[]): boolean {
  const among = (patterns: readonly string[]) => patterns.some((pattern) => matches(pattern, name));
  return (include.length === 0 || among(include)) && !among(exclude);
}
