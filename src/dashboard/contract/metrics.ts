import { z } from 'zod';
import { METRIC_STATUSES } from '../../domain/model.js';
import { instant, runLinkSchema } from '../contract.js';
import { limitChangeSchema, limitStepSchema } from './limits.js';
import { application, days, metric } from './parameters.js';

export const metricsQuery = z.strictObject({
  application,
  metric: metric.optional().meta({ description: 'Only this metric.' }),
  days,
});

const status = z.enum(METRIC_STATUSES);
const value = z.number().nullable();

/** Thresholds that `suggest` would propose from the values of this application in the span. */
export const suggestionSchema = z.object({
  /** How many valid values the proposal is made from; under 20 there is none. */
  values: z.int(),
  /** Where the direction comes from; null if it is unknown. Then there is one option for each direction. */
  direction: z.enum(['catalog', 'name']).nullable(),
  /** Empty: the values are too few or too similar. */
  options: z.array(
    z.object({
      higher_is_better: z.boolean(),
      critical_threshold: value,
      warning_threshold: z.number(),
      /** How many of the values would be critical and warning. */
      critical: z.int(),
      warning: z.int(),
    }),
  ),
});

export const metricNowSchema = z.object({
  name: z.string(),
  display_name: z.string(),
  description: z.string().nullable(),
  unit: z.string().nullable(),
  higher_is_better: z.boolean().nullable(),
  /** Of the newest eligible run that logged the metric. `value` is null if it is invalid. */
  status,
  value,
  invalid_kind: z.enum(['nan', 'inf', '-inf']).nullable(),
  run: runLinkSchema,
  critical_threshold: value,
  warning_threshold: value,
  threshold_updated_at: instant.nullable(),
  threshold_updated_by: z.string().nullable(),
  /** The limit that the value violates; of a healthy value the one that it would violate first. */
  limit: value,
  /** `value` − `limit`. */
  distance: value,
  /** `value` minus the valid value before it in the span. */
  change: value,
  /** The slope per day and the mean over the 7 days that end with the hour of the newest run (docs/data.md). */
  trend: value,
  mean: value,
  /** The first run of the unbroken sequence of runs with this status; runs without a threshold do not interrupt it. */
  status_since: instant,
  /** Whether the sequence reaches back to the start of the span. */
  status_since_before: z.boolean(),
  /** The eligible runs with this metric in the span of the light, by their status of this metric. */
  light_span: z.object({
    critical: z.int(),
    invalid: z.int(),
    warning: z.int(),
    healthy: z.int(),
    unmonitored: z.int(),
  }),
  /** One entry per cell of the span, oldest first; null: no run logged the metric. */
  cells: z.object({
    /** The worst status. */
    status: z.array(status.nullable()),
    /** The median (of two middle values the smaller one), the smallest and the largest valid value. */
    median: z.array(value),
    min: z.array(value),
    max: z.array(value),
  }),
  limits: z.array(limitStepSchema),
  limit_changes: z.array(limitChangeSchema),
  /** Only of metrics without a threshold; else null. */
  suggestion: suggestionSchema.nullable(),
});
export type MetricNow = z.infer<typeof metricNowSchema>;

/** The response of `/metrics`. */
export const metricsSchema = z.object({
  application: z.string(),
  /** The span: `days` that end with the current hour. */
  from: instant,
  to: instant,
  /** The length of a cell, hours: the shortest of 1, 3, 6 and 24 with at most 120 cells. The first cell begins at `from`. */
  cell_hours: z.int(),
  /** Every metric that an eligible run logged in the span: the worst status first, then by name. Unmonitored ones are last. */
  metrics: z.array(metricNowSchema),
});
export type Metrics = z.infer<typeof metricsSchema>;
