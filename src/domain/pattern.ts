/** Whether a name contains a wildcard: `*` (zero or more characters) or `?` (exactly one). Nothing else is special. */
export function isPattern(name: string): boolean {
  return name.includes('*') || name.includes('?');
}

const STAR = 0x2a;
const QUESTION_MARK = 0x3f;

/**
 * Whether the whole name matches the pattern, case-sensitively; `?` is one code point.
 * It backtracks to the last `*` only, so the time is at most proportional to the product of the two lengths.
 */
export function matches(pattern: string, name: string): boolean {
  let patternIndex = 0;
  let nameIndex = 0;
  // Where to resume when the text after the last `*` does not match: the `*` takes one more character.
  let afterStar = -1;
  let resumeIndex = 0;
  while (nameIndex < name.length) {
    const expected = pattern.codePointAt(patternIndex);
    const actual = name.codePointAt(nameIndex);
    if (expected === STAR) {
      afterStar = ++patternIndex;
      resumeIndex = nameIndex;
    } else if (expected !== undefined && (expected === QUESTION_MARK || expected === actual)) {
      patternIndex += utf16Length(expected);
      nameIndex += utf16Length(actual);
    } else if (afterStar >= 0) {
      resumeIndex += utf16Length(name.codePointAt(resumeIndex));
      nameIndex = resumeIndex;
      patternIndex = afterStar;
    } else {
      return false;
    }
  }
  while (pattern.codePointAt(patternIndex) === STAR) patternIndex++;
  return patternIndex === pattern.length;
}

/** The number of UTF-16 code units of a code point. */
function utf16Length(codePoint: number | undefined): number {
  return codePoint !== undefined && codePoint > 0xffff ? 2 : 1;
}

/** The pattern for LIKE in SQL, with a backslash as the escape. */
export const likePattern = (pattern: string): string =>
  pattern
    .replace(/[\\%_]/g, '\\$&')
    .replaceAll('*', '%')
    .replaceAll('?', '_');

/** Whether a name matches an include pattern (an empty list includes every name) and no exclude pattern. */
export function passes(name: string, include: readonly string[], exclude: readonly string[]): boolean {
  const matchesAny = (patterns: readonly string[]) => patterns.some((pattern) => matches(pattern, name));
  return (include.length === 0 || matchesAny(include)) && !matchesAny(exclude);
}
