import { concatSteps } from './bytes.js';
import { canonicalJson } from './canonical-json.js';
import {
  CLOSING_BRACE,
  CLOSING_BRACKET,
  COLON,
  COMMA,
  endOfText,
  isSpace,
  OPENING_BRACE,
  OPENING_BRACKET,
  QUOTE,
  skipSpaces,
} from './json-bytes.js';
import { findJsonError } from './json-error.js';
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

/** Pieces of text are encoded when they have this length, UTF-16 units. */
const UNITS_AT_ONCE = 64 * 1024;

/**
 * The text of `canonicalJson(value)` in UTF-8, for documents of plain values that are large because they have many items.
 * Empty if the value has no text.
 */
export function* canonicalJsonSteps(value: unknown): Steps<Buffer> {
  const parts: Buffer[] = [];
  let texts: string[] = [];
  let length = 0;
  const flush = () => {
    parts.push(Buffer.from(texts.join('')));
    texts = [];
    length = 0;
  };
  yield* emitCanonical(value, '', 2, (text) => {
    texts.push(text);
    length += text.length;
    if (length >= UNITS_AT_ONCE) flush();
  });
  flush();
  return yield* concatSteps(parts);
}

/**
 * Emits `prefix` and the text of a value, unless it has none.
 * @param depth of objects and arrays whose items are emitted one by one
 * @returns whether it has a text
 */
function* emitCanonical(
  value: unknown,
  prefix: string,
  depth: number,
  emit: (text: string) => void,
): Steps<boolean> {
  if (depth === 0 || value === null || typeof value !== 'object' || 'toJSON' in value) {
    const text: string | undefined = canonicalJson(value);
    if (text !== undefined) emit(prefix + text);
    return text !== undefined;
  }
  if (Array.isArray(value)) {
    emit(`${prefix}[`);
    for (const [i, item] of value.entries()) {
      yield;
      const separator = i > 0 ? ',' : '';
      if (!(yield* emitCanonical(item, separator, depth - 1, emit))) emit(`${separator}null`);
    }
    emit(']');
    return true;
  }
  // `Object.fromEntries` puts keys that are integers first, as in `canonicalJson`.
  const sorted = Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  emit(`${prefix}{`);
  let separator = '';
  for (const [key, part] of Object.entries(sorted)) {
    yield;
    if (yield* emitCanonical(part, `${separator}${JSON.stringify(key)}:`, depth - 1, emit)) separator = ',';
  }
  emit('}');
  return true;
}

/** Texts up to this length are parsed at once, bytes. */
const BYTES_AT_ONCE = 64 * 1024;

/**
 * As `JSON.parse`, for UTF-8 of any size: finds the items of large arrays and objects and parses a few at a time.
 * @throws {SyntaxError} as `JSON.parse`; the message for a text longer than `atOnce` has the line and the column
 */
export function* parseJsonSteps(json: Buffer, atOnce = BYTES_AT_ONCE): Steps<unknown> {
  const parsed = yield* parsePart(json, ...trimmed(json, 0, json.length), atOnce);
  if (parsed !== INVALID) return parsed;
  const text = json.toString();
  const error = json.length > atOnce ? yield* findJsonError(text) : undefined;
  if (error === undefined) return JSON.parse(text);
  const before = text.slice(0, error).split('\n');
  const column = (before.at(-1)?.length ?? 0) + 1;
  throw new SyntaxError(`not valid JSON at line ${before.length}, column ${column}`);
}

const INVALID = Symbol('INVALID');

function* parsePart(json: Buffer, start: number, end: number, atOnce: number): Steps<unknown> {
  const isArray = json[start] === OPENING_BRACKET;
  if (end - start <= atOnce || !(isArray || json[start] === OPENING_BRACE)) {
    return parseText(json.toString('utf8', start, end));
  }
  if (json[end - 1] !== (isArray ? CLOSING_BRACKET : CLOSING_BRACE)) return INVALID;
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
  const pending = (to: number): unknown => {
    if (isBlank(json, from, to)) return INVALID;
    const items = json.toString('utf8', from, to);
    return parseText(isArray ? `[${items}]` : `{${items}}`);
  };
  for (;;) {
    const itemEnd = yield* endOfItem(json, itemStart, end - 1);
    const last = itemEnd === end - 1;
    if (itemEnd - itemStart > atOnce) {
      if (itemStart > from && !add(pending(itemStart - 1))) return INVALID;
      const [valueStart, key] = isArray ? [itemStart, ''] : keyOfMember(json, itemStart, itemEnd);
      if (valueStart < 0) return INVALID;
      const item: unknown = yield* parsePart(json, ...trimmed(json, valueStart, itemEnd), atOnce);
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

/** The index of the comma after an item, or `end` if it is the last one. */
function* endOfItem(json: Buffer, start: number, end: number): Steps<number> {
  let depth = 0;
  for (let at = start, rest = BYTES_AT_ONCE; at < end; at++, rest--) {
    if (rest === 0) {
      yield;
      rest = BYTES_AT_ONCE;
    }
    switch (json[at]) {
      case QUOTE:
        at = endOfText(json, at) - 1;
        break;
      case OPENING_BRACKET:
      case OPENING_BRACE:
        depth++;
        break;
      case CLOSING_BRACKET:
      case CLOSING_BRACE:
        depth--;
        break;
      case COMMA:
        if (depth === 0) return at;
    }
  }
  return end;
}

/** Where the value of a member begins, negative if there is none, and its key. */
function keyOfMember(json: Buffer, start: number, end: number): [number, string] {
  const from = skipSpaces(json, start);
  if (json[from] !== QUOTE) return [-1, ''];
  const keyEnd = endOfText(json, from);
  const key = parseText(json.toString('utf8', from, keyEnd));
  const colon = skipSpaces(json, keyEnd);
  return typeof key === 'string' && colon < end && json[colon] === COLON ? [colon + 1, key] : [-1, ''];
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

function trimmed(json: Buffer, start: number, end: number): [number, number] {
  let [from, to] = [start, end];
  while (from < to && isSpace(json[from])) from++;
  while (to > from && isSpace(json[to - 1])) to--;
  return [from, to];
}

function isBlank(json: Buffer, start: number, end: number): boolean {
  const [from, to] = trimmed(json, start, end);
  return from === to;
}
