import { z } from 'zod';
import { METRIC_STATUSES } from '../../domain/model.js';
import { instant } from '../contract.js';
import { limitChangeSchema, limitStepSchema } from './limits.js';
import { application, format, maxPoints, metric, span } from './parameters.js';

export const seriesQuery = z.strictObject({ application, metric, ...span, max_points: maxPoints, format });

const values = z.array(z.number().nullable());
const texts = z.array(z.string().nullable());

/** The points of a series by time, of equal times by run_id: the i-th entries of all columns are the i-th point. */
export const seriesColumnsSchema = z.object({
  /** Milliseconds since the epoch. */
  time: z.array(z.number()),
  /** null: not a number or infinite; `invalid_kind` says which. */
  value: values,
  status: z.array(z.enum(METRIC_STATUSES)),
  invalid_kind: z.array(z.enum(['nan', 'inf', '-inf']).nullable()),
  moving_avg: values,
  /** The one-step-ahead forecast of this point, made from the points before it. */
  forecast: values,
  critical_threshold: values,
  warning_threshold: values,
  run_id: z.array(z.string()),
  run_name: z.array(z.string()),
  experiment_id: z.array(z.string()),
  user_id: texts,
  model_id: texts,
  dataset_name: texts,
});

/** The response of `/series`: a metric of the eligible runs of an application. */
export const seriesSchema = z.object({
  application: z.string(),
  metric: z.string(),
  /** Of the newest point. Without points: the name, and nulls. */
  display_name: z.string(),
  unit: z.string().nullable(),
  higher_is_better: z.boolean().nullable(),
  from: instant,
  to: instant,
  /** The number of points of the span. */
  total: z.int(),
  /**
   * null: all points are here. Otherwise the first, the last, and of each of `max_points`/2 equal spans of time the smallest
   * and the largest value, and all points that are critical, invalid or warning. If these alone are more than `max_points`,
   * they are thinned as well: `not_healthy_left_out` says how many are missing.
   */
  thinned: z.object({ left_out: z.int(), not_healthy_left_out: z.int() }).nullable(),
  columns: seriesColumnsSchema,
  /** From all points, by time. */
  limits: z.array(limitStepSchema),
  limit_changes: z.array(limitChangeSchema),
});
export type Series = z.infer<typeof seriesSchema>;
