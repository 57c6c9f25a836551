import { z } from 'zod';

/** The parameters that several requests of the read API share. All parameters are in the query: names may be any text. */

/** The longest span of a request, days. */
export const MAX_SPAN_DAYS = 366;

const wholeNumber = (min: number, max: number) =>
  z.codec(z.string().regex(/^\d{1,9}$/, 'a whole number'), z.int().min(min).max(max), {
    decode: Number,
    encode: String,
  });

export const application = z.string().min(1).meta({
  description: 'The name of an application.',
  example: 'fraud-scoring',
});
export const metric = z.string().min(1).meta({ description: 'The name of a metric.', example: 'recall' });

const time = (description: string, example: string) =>
  z.iso.datetime('an instant such as 2026-03-10T15:30:00Z').meta({ description, example });

/** At most `MAX_SPAN_DAYS`, half-open. */
export const span = {
  from: time('The start of the span; 30 days before `to` by default.', '2026-03-01T00:00:00Z').optional(),
  to: time(
    'The end of the span, exclusive; the end of the current hour by default.',
    '2026-03-11T00:00:00Z',
  ).optional(),
};

export const days = wholeNumber(1, 90)
  .default(14)
  .meta({ description: 'The span: so many days that end with the current hour.', example: 14 });

export const maxPoints = wholeNumber(100, 50_000)
  .default(5_000)
  .meta({ description: 'Longer series are thinned.', example: 5_000 });

/** Parameters of lists that come in pages. */
export const paging = {
  limit: wholeNumber(1, 200)
    .default(50)
    .meta({ description: 'The number of entries of a page.', example: 50 }),
  cursor: z.string().min(1).optional().meta({ description: '`next` of the page before.' }),
};

export const format = z.enum(['json', 'csv', 'parquet']).default('json').meta({
  description:
    'The format of the response. CSV and Parquet have the rows that JSON has, one column for each field.',
});
