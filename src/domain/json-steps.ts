import { canonicalJson } from './canonical-json.js';
import { endOfString, findJsonError, isSpace } from './json-error.js';
import type { Steps } from './steps.js';

const ITEMS_AT_ONCE = 50;

/** Emits the text of `JSON.stringify(rows)` in pieces. */
export function* jsonArraySteps<Row>(rows: readonly Row[], emit: (piece: string) => unknown): Steps<void> {
  emit('[');
  for (let at = 0; at < rows.length; at += ITEMS_AT_ONCE) {
    yield;
    emit((at > 0 ? ',' : '') + JSON.stringify(rows.slice(at, at + ITEMS_AT_ONCE)).slice(1, -1));
  }
  emit(']');
}

/** The text of `canonicalJson(value)`, for documents of plain values that are large because they have many items. */
export function* canonicalJsonSteps(value: unknown, depth = 2): Steps<string> {
  if (depth === 0 || value === null || typeof value !== 'object' || 'toJSON' in value) {
    return canonicalJson(value);
  }
  const pieces: string[] = [];
  if (Array.isArray(value)) {
    for (const item of value) {
      yield;
      pieces.push((yield* canonicalJsonSteps(item, depth - 1)) ?? 'null');
    }
    return `[${pieces.join(',')}]`;
  }
  // `Object.fromEntries` puts keys that are integers first, as in `canonicalJson`.
  const sorted = Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  for (const [key, part] of Object.entries(sorted)) {
    yield;
    const text: string | undefined = yield* canonicalJsonSteps(part, depth - 1);
    if (text !== undefined) pieces.push(`${JSON.stringify(key)}:${text}`);
  }
  return `{${pieces.join(',')}}`;
}

/** Texts up to this length are parsed at once, UTF-16 units. */
const CHARACTERS_AT_ONCE = 64 * 1024;

/**
 * As `JSON.parse`, for texts of any size: finds the items of large arrays and objects and parses a few at a time.
 * @throws {SyntaxError} as `JSON.parse`; the message for a text longer than `atOnce` has the line and the column
 */
export function* parseJsonSteps(text: string, atOnce = CHARACTERS_AT_ONCE): Steps<unknown> {
  const [start, end] = trimmed(text, 0, text.length);
  const parsed = yield* parsePart(text, start, end, atOnce);
  if (parsed !== INVALID) return parsed;
  const error = text.length > atOnce ? yield* findJsonError(text) : undefined;
  if (error === undefined) return JSON.parse(text);
  const before = text.slice(0, error).split('\n');
  const column = (before.at(-1)?.length ?? 0) + 1;
  throw new SyntaxError(`not valid JSON at line ${before.length}, column ${column}`);
}

const INVALID = Symbol('INVALID');

function* parsePart(text: string, start: number, end: number, atOnce: number): Steps<unknown> {
  const opening = text[start];
  const closing = opening === '[' ? ']' : opening === '{' ? '}' : undefined;
  if (end - start <= atOnce || closing === undefined) return parseText(text.slice(start, end));
  if (text[end - 1] !== closing) return INVALID;
  const isArray = closing === ']';
  const array: unknown[] = [];
  const object: Record<string, unknown> = {};
  /** Adds parsed items; returns whether they are valid. */
  const add = (part: unknown): boolean => {
    if (part === INVALID) return false;
    if (isArray) for (const item of part as unknown[]) array.push(item);
    else for (const [key, item] of Object.entries(part as object)) setOwn(object, key, item);
    return true;
  };
  // Items that are not parsed yet begin here.
  let from = start + 1;
  let itemStart = from;
  const pending = (to: number): unknown =>
    isBlank(text, from, to) ? INVALID : parseText(opening + text.slice(from, to) + closing);
  for (;;) {
    const itemEnd = yield* endOfItem(text, itemStart, end - 1);
    const last = itemEnd === end - 1;
    if (itemEnd - itemStart > atOnce) {
      if (itemStart > from && !add(pending(itemStart - 1))) return INVALID;
      const [valueStart, key] = isArray ? [itemStart, ''] : keyOfMember(text, itemStart, itemEnd);
      if (valueStart < 0) return INVALID;
      const item: unknown = yield* parsePart(text, ...trimmed(text, valueStart, itemEnd), atOnce);
      if (item === INVALID) return INVALID;
      if (isArray) array.push(item);
      else setOwn(object, key, item);
      from = itemEnd + 1;
    } else if (last || itemEnd - from > atOnce) {
      if (!add(pending(itemEnd))) return INVALID;
      from = itemEnd + 1;
    }
    if (last) return isArray ? array : object;
    itemStart = itemEnd + 1;
    yield;
  }
}

/** The place of the comma after an item, or `end` if it is the last one. */
function* endOfItem(text: string, start: number, end: number): Steps<number> {
  let depth = 0;
  for (let at = start, rest = CHARACTERS_AT_ONCE; at < end; at++, rest--) {
    if (rest === 0) {
      yield;
      rest = CHARACTERS_AT_ONCE;
    }
    switch (text.charCodeAt(at)) {
      case 0x22: // "
        at = endOfString(text, at);
        break;
      case 0x5b: // [
      case 0x7b: // {
        depth++;
        break;
      case 0x5d: // ]
      case 0x7d: // }
        depth--;
        break;
      case 0x2c: // ,
        if (depth === 0) return at;
    }
  }
  return end;
}

/** Where the value of a member begins, negative if there is none, and its key. */
function keyOfMember(text: string, start: number, end: number): [number, string] {
  const [from] = trimmed(text, start, end);
  if (text[from] !== '"') return [-1, ''];
  const keyEnd = endOfString(text, from) + 1;
  const key = parseText(text.slice(from, keyEnd));
  const [colon] = trimmed(text, keyEnd, end);
  return typeof key === 'string' && text[colon] === ':' ? [colon + 1, key] : [-1, ''];
}

/** As `JSON.parse` does: `__proto__` is a key like any other. */
function setOwn(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  } else {
    object[key] = value;
  }
}

function parseText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return INVALID;
  }
}

function trimmed(text: string, start: number, end: number): [number, number] {
  let [from, to] = [start, end];
  while (from < to && isSpace(text.charCodeAt(from))) from++;
  while (to > from && isSpace(text.charCodeAt(to - 1))) to--;
  return [from, to];
}

function isBlank(text: string, start: number, end: number): boolean {
  const [from, to] = trimmed(text, start, end);
  return from === to;
}
