import { StoreError } from './errors.js';

const PART = '[A-Za-z0-9_=-][A-Za-z0-9_.=-]*';
const KEY = new RegExp(`^${PART}(?:/${PART})*$`);
const PREFIX = new RegExp(`^(?:${PART}/)*(?:${PART})?$`);
/** The longest file name on common file systems and the longest key on S3, bytes. */
const MAX_PART = 255;
const MAX_KEY = 1024;

/** @throws {StoreError} `invalid_key` for a key that some store would change or would resolve to another path */
export function assertKey(key: string): void {
  assert(KEY, key, 'an object key');
}

/** A prefix is any beginning of a key, also the empty string. */
export function assertPrefix(prefix: string): void {
  assert(PREFIX, prefix, 'the beginning of an object key');
}

export const isKey = (key: string): boolean => fits(KEY, key);

const fits = (pattern: RegExp, text: string): boolean =>
  text.length <= MAX_KEY && pattern.test(text) && text.split('/').every((part) => part.length <= MAX_PART);

function assert(pattern: RegExp, text: string, what: string): void {
  if (fits(pattern, text)) return;
  const shown = JSON.stringify(text.slice(0, 100));
  throw new StoreError('invalid_key', `${shown} is not ${what}`, { key: text.slice(0, MAX_KEY) });
}
