import { z } from 'zod';
import { dayOfKey, publishedDatasetOf } from './keys.js';

/** The head: which months there are, and until when everything is published. */
export const LATEST_KEY = '_latest.json';
export const LATEST_PREFIX = '_latest/';
/** The part of one UTC month, `YYYY-MM`. */
export const latestMonthKey = (month: string): string => `${LATEST_PREFIX}${month}.json`;

/** The month (`YYYY-MM`) of a published object of a day; `undefined` for any other object. */
export const latestMonthOf = (key: string): string | undefined =>
  publishedDatasetOf(key) && dayOfKey(key)?.slice(0, 7);

export const latestHeadSchema = z.object({
  version: z.literal(1),
  /** Everything that MLflow stored before this time is published. null: nothing is known. */
  watermark: z.iso.datetime().nullable(),
  /** `YYYY-MM`, sorted: each has a part. */
  months: z.array(z.string().regex(/^\d{4}-\d{2}$/)),
});
export type LatestHead = z.infer<typeof latestHeadSchema>;

export const latestObjectSchema = z.object({
  etag: z.string(),
  /** Bytes. */
  size: z.int().nonnegative(),
  /** null: not known. Only of objects that were found in a listing. */
  rows: z.int().nonnegative().nullable(),
});
export type LatestObject = z.infer<typeof latestObjectSchema>;

export const latestMonthSchema = z.object({
  version: z.literal(1),
  /** By key: the published objects of the month. */
  objects: z.record(z.string(), latestObjectSchema),
});
export type LatestMonth = z.infer<typeof latestMonthSchema>;

/** The head with these months as well, or without them. */
export function withMonths(
  head: LatestHead | undefined,
  added: Iterable<string>,
  removed: ReadonlySet<string> = new Set(),
): LatestHead {
  const months = new Set([...(head?.months ?? []), ...added].filter((month) => !removed.has(month)));
  return { version: 1, watermark: head?.watermark ?? null, months: [...months].sort() };
}
