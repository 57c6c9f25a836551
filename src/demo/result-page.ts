import { invalid } from './run-filter.js';

/** A page of results. Its token is an offset; the last page has none. */
export function pageOf<T>(
  name: string,
  results: readonly T[],
  size: number,
  token: unknown,
  toJson: (each: T) => object,
): object {
  const offset = offsetOf(token);
  const page = results.slice(offset, offset + size);
  const next = offset + size < results.length ? { next_page_token: tokenOf(offset + size) } : {};
  return page.length > 0 ? { [name]: page.map(toJson), ...next } : {};
}

const tokenOf = (offset: number): string => Buffer.from(`{"offset": ${offset}}`).toString('base64');

function offsetOf(token: unknown): number {
  if (token === undefined || token === '') return 0;
  const [, offset] = /^\{"offset": ?(\d+)\}$/.exec(Buffer.from(String(token), 'base64').toString()) ?? [];
  if (!Number(offset)) throw invalid('Invalid page token');
  return Number(offset);
}
