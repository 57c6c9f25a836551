import { StoreError } from './errors.js';

const PART = '[A-Za-z0-9_=-][A-Za-z0-9_.=-]*';
const KEY = new RegExp(`^${PART}(?:/${PART})*$`);
const PREFIX = new RegExp(`^(?:${PART}/)*(?:${PART})?$`);
/** The longest name that common file systems take, and the longest key of S3; bytes. */
const LONGEST_PART = 255;
const LONGEST_KEY = 1024;

/** @throws {StoreError} `invalid_key` for a key that some store would not keep as it is, or keep elsewhere */
export function assertKey(key: string): void {
  assert(KEY, key, 'an object key');
}

/** A prefix is any beginning of a key, `` included. */
export function assertPrefix(prefix: string): void {
  assert(PREFIX, prefix, 'the beginning of an object key');
}

export const isKey = (key: string): boolean => fits(KEY, key);

const fits = (pattern: RegExp, text: string): boolean =>
  text.length <= LONGEST_KEY &&
  pattern.test(text) &&
  text.split('/').every((part) => part.length <= LONGEST_PART);

function assert(pattern: RegExp, text: string, what: string): void {
  if (fits(pattern, text)) return;
  const shown = JSON.stringify(text.slice(0, 100));
  throw new StoreError('invalid_key', `${shown} is not ${what}`, { key: text.slice(0, LONGEST_KEY) });
}
