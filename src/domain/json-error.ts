import { isSpace } from './json-bytes.js';
import type { Steps } from './steps.js';

const LITERAL = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

type Expected = 'value' | 'value or ]' | 'key' | 'key or }' | ':' | ', or end' | 'nothing';

/** Where a text stops being JSON: the place of the first token that does not belong there; `undefined` if there is none. */
export function* findJsonError(text: string): Steps<number | undefined> {
  const closing: string[] = [];
  let expected: Expected = 'value';
  let at = 0;
  for (;;) {
    yield;
    while (isSpace(text.charCodeAt(at))) at++;
    if (at === text.length) return expected === 'nothing' ? undefined : at;
    const end = endOfToken(text, at);
    const next: Expected | undefined =
      end === undefined ? undefined : after(text[at] ?? '', expected, closing);
    if (end === undefined || !next) return at;
    expected = next;
    at = end;
  }
}

/** `undefined` if no token begins here. */
function endOfToken(text: string, at: number): number | undefined {
  if (text[at] === '"') {
    const end = endOfString(text, at) + 1;
    return isValid(text.slice(at, end)) ? end : undefined;
  }
  if ('[]{},:'.includes(text[at] ?? ' ')) return at + 1;
  LITERAL.lastIndex = at;
  return LITERAL.test(text) ? LITERAL.lastIndex : undefined;
}

function isValid(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The place of the closing quotation mark, or the end of the text. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; ; at++) {
    at = text.indexOf('"', at);
    if (at < 0) return text.length;
    let backslashes = 0;
    while (text.charCodeAt(at - 1 - backslashes) === 0x5c) backslashes++;
    if (backslashes % 2 === 0) return at;
  }
}

/** What may follow a token that begins with `first`; `undefined` if it does not belong here. Updates the open brackets. */
function after(first: string, expected: Expected, closing: string[]): Expected | undefined {
  const end = (): Expected => (closing.length > 0 ? ', or end' : 'nothing');
  if (first === ']' || first === '}') {
    const allowed = expected === ', or end' || expected === `${first === ']' ? 'value' : 'key'} or ${first}`;
    return allowed && closing.pop() === first ? end() : undefined;
  }
  if (first === ',') {
    if (expected !== ', or end') return undefined;
    return closing.at(-1) === ']' ? 'value' : 'key';
  }
  if (first === ':') return expected === ':' ? 'value' : undefined;
  if (expected === 'key' || expected === 'key or }') return first === '"' ? ':' : undefined;
  if (expected !== 'value' && expected !== 'value or ]') return undefined;
  if (first !== '[' && first !== '{') return end();
  closing.push(first === '[' ? ']' : '}');
  return first === '[' ? 'value or ]' : 'key or }';
}
