import { z } from 'zod';

/** The parameters that several requests of the read API share. All parameters are in the query: names may be any text. */

/** The longest span of a request, days. */
export const MAX_SPAN_DAYS = 366;

const wholeNumber = (minimum: number, maximum: number, byDefault: number, description: string) =>
  z
    .codec(z.string().regex(/^\d{1,9}$/, 'a whole number'), z.int().min(minimum).max(maximum), {
      decode: Number,
      encode: String,
    })
    .default(byDefault)
    // For the OpenAPI document, which would show the text of the query.
    .meta({
      type: 'integer',
      minimum,
      maximum,
      example: byDefault,
      description: `${description} ${byDefault} by default.`,
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

export const days = wholeNumber(1, 90, 14, 'The span: so many days that end with the current hour.');

export const maxPoints = wholeNumber(100, 50_000, 5_000, 'Longer series are thinned.');

/** Parameters of lists that come in pages. */
export const paging = {
  limit: wholeNumber(1, 200, 50, 'The number of entries of a page.'),
  cursor: z.string().min(1).optional().meta({ description: '`next` of the page before.' }),
};

export const format = z.enum(['json', 'csv', 'parquet']).optional().meta({
  description:
    'The format of the response; without it, the header `Accept` decides. CSV and Parquet have the rows that JSON has, one column for each field.',
});
