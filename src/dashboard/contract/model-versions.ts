import { z } from 'zod';
import { instant } from '../contract.js';
import { application, metric, span } from './parameters.js';

export const modelVersionsQuery = z.strictObject({ application, metric, ...span });

const value = z.number().nullable();

/**
 * The response of `/model-versions`: what the eligible runs of each model version logged for a metric, the version of the newest run first;
 * at most the newest 100. The version of a run is its param `model_version`, else its tag `model_version`, else the id of the model that
 * MLflow stored with the metric. Runs without any of them are not here.
 */
export const modelVersionsSchema = z.object({
  application: z.string(),
  metric: z.string(),
  from: instant,
  to: instant,
  versions: z.array(
    z.object({
      model_version: z.string(),
      /** The runs that logged the metric, and their first and last time. */
      runs: z.int(),
      first_at: instant,
      last_at: instant,
      /** How many of their values are valid. */
      values: z.int(),
      /** The quantiles 0.1, 0.5 and 0.9 of the valid values, each one of them; null: there is none. */
      lower: value,
      median: value,
      upper: value,
    }),
  ),
});
export type ModelVersions = z.infer<typeof modelVersionsSchema>;
