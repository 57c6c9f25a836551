import type { z } from 'zod';
import { InvalidRequest } from '../../http/problem.js';

/** Where a page of a list ended, as an opaque text: the next page begins after it, whatever was added before it. */
export const encodeCursor = (position: unknown): string =>
  Buffer.from(JSON.stringify(position)).toString('base64url');

/** @throws {InvalidRequest} the text is no cursor of such a list */
export function decodeCursor<T>(cursor: string, schema: z.ZodType<T>): T {
  try {
    return schema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
  } catch {
    throw new InvalidRequest([{ message: '`next` of the page before', path: ['cursor'] }]);
  }
}
