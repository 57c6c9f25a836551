import { z } from 'zod';
import { instant } from '../contract.js';
import { application, metric } from './parameters.js';

export const forecastQuery = z.strictObject({
  application,
  metric: metric.optional().meta({ description: 'Only this metric.' }),
});

/** When the level of the metric may cross a limit: the probability is 10 % at `earliest` and 50 % at `expected`. */
const breach = z.object({ earliest: instant, expected: instant }).nullable();
const values = z.array(z.number());

/** The response of `/forecast`: the newest forecast of each metric that is at most 7 days old, by name. */
export const forecastSchema = z.object({
  application: z.string(),
  forecasts: z.array(
    z.object({
      metric: z.string(),
      /** The time of the last value that it was computed from. */
      fitted_at: instant,
      /** The number of values that it was computed from. */
      points: z.int(),
      /** Its method and parameters (docs/forecast.md). */
      model: z.record(z.string(), z.unknown()),
      /** null: it probably does not cross that limit within the horizon, or has already. */
      warning: breach,
      critical: breach,
      /** The steps: the i-th entries of all columns are the i-th step. `time` is in milliseconds since the epoch. */
      columns: z.object({
        time: values,
        forecast: values,
        lower_80: values,
        upper_80: values,
        lower_95: values,
        upper_95: values,
      }),
    }),
  ),
});
export type Forecast = z.infer<typeof forecastSchema>;
