import type { z } from 'zod';
import {
  applicationQuery,
  applicationSchema,
  applicationsQuery,
  applicationsSchema,
} from './applications.js';
import { forecastQuery, forecastSchema } from './forecast.js';
import { metricsQuery, metricsSchema } from './metrics.js';
import { modelVersionsQuery, modelVersionsSchema } from './model-versions.js';
import { runDetailSchema, runQuery, runsQuery, runsSchema } from './runs.js';
import { seriesQuery, seriesSchema } from './series.js';

/** The requests of the read API that have parameters. Controllers, the OpenAPI document and the page's client use this table. */
export const READ_API = {
  '/api/v1/applications': { query: applicationsQuery, response: applicationsSchema },
  '/api/v1/application': { query: applicationQuery, response: applicationSchema },
  '/api/v1/metrics': { query: metricsQuery, response: metricsSchema },
  '/api/v1/series': { query: seriesQuery, response: seriesSchema },
  '/api/v1/model-versions': { query: modelVersionsQuery, response: modelVersionsSchema },
  '/api/v1/forecast': { query: forecastQuery, response: forecastSchema },
  '/api/v1/runs': { query: runsQuery, response: runsSchema },
  '/api/v1/run': { query: runQuery, response: runDetailSchema },
} as const;

/** The names of the parameters without a default. */
type Required<Input> = { [Name in keyof Input]-?: undefined extends Input[Name] ? never : Name }[keyof Input];
type Query<Schema extends z.ZodType> = Pick<
  z.output<Schema>,
  Required<z.input<Schema>> & keyof z.output<Schema>
> &
  Partial<z.output<Schema>>;

/** By path: the parameters and the response, for typed clients. */
export type ReadApi = {
  readonly [Path in keyof typeof READ_API]: {
    readonly query: Query<(typeof READ_API)[Path]['query']>;
    readonly response: z.output<(typeof READ_API)[Path]['response']>;
  };
};
