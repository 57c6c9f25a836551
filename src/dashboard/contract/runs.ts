import { z } from 'zod';
import { METRIC_STATUSES } from '../../domain/model.js';
import { instant } from '../contract.js';
import { application, format, paging, span } from './parameters.js';

const status = z.enum(METRIC_STATUSES);
const value = z.number().nullable();

export const runsQuery = z.strictObject({
  application,
  status: status.optional().meta({ description: 'Only runs with this status.' }),
  parent: z.string().min(1).optional().meta({
    description:
      'Only the children of this run. By default: only runs that are not the child of another run.',
  }),
  ...span,
  ...paging,
  format,
});

const runSchema = z.object({
  run_id: z.string(),
  run_name: z.string(),
  application: z.string(),
  experiment_id: z.string(),
  experiment_name: z.string().nullable(),
  /** The page of the run in MLflow. */
  url: z.url(),
  /** The UTC day of the run: for `/run` and `/explanation`. */
  day: z.iso.date(),
  /** The time of the run: its start, else its first known end. */
  at: instant,
  started_at: instant.nullable(),
  /** null: it has not ended. */
  ended_at: instant.nullable(),
  user_id: z.string().nullable(),
  /** The state of the run in MLflow: `RUNNING`, `SCHEDULED`, `FINISHED`, `FAILED` or `KILLED`. */
  run_status: z.string(),
  parent_run_id: z.string().nullable(),
  /** Whether the run counts: it has ended (or is judged while it runs) and is not ignored as the child of another run. */
  eligible: z.boolean(),
  /** The worst status of its metrics. */
  status,
  evaluated_metrics: z.int(),
  total_metrics: z.int(),
});

const judged = {
  name: z.string(),
  display_name: z.string(),
  unit: z.string().nullable(),
  status,
  value,
  invalid_kind: z.enum(['nan', 'inf', '-inf']).nullable(),
  higher_is_better: z.boolean().nullable(),
  critical_threshold: value,
  warning_threshold: value,
};

const listedRunSchema = runSchema.extend({
  /** The metric that decides the status: the worst one, of several the first by name. null: no metric is judged. */
  worst_metric: z.object(judged).nullable(),
  /** The children of this run in this application and span, by their status; null: it has none. */
  children: z
    .object({
      total: z.int(),
      running: z.int(),
      failed: z.int(),
      critical: z.int(),
      invalid: z.int(),
      warning: z.int(),
      healthy: z.int(),
      unmonitored: z.int(),
      /** Those that do not count because they are children. */
      ignored: z.int(),
    })
    .nullable(),
});
export type ListedRun = z.infer<typeof listedRunSchema>;

/** The response of `/runs`, newest first. */
export const runsSchema = z.object({
  application: z.string(),
  from: instant,
  to: instant,
  runs: z.array(listedRunSchema),
  /** The cursor of the next page; null on the last one. */
  next: z.string().nullable(),
});
export type Runs = z.infer<typeof runsSchema>;

export const runQuery = z.strictObject({
  run_id: z.string().min(1).meta({ description: 'The id of the run in MLflow.' }),
  day: z.iso
    .date('a day such as 2026-03-31')
    .meta({ description: 'The UTC day of the run.', example: '2026-03-31' }),
});

/** The response of `/run`: everything about one run. */
export const runDetailSchema = runSchema.extend({
  params: z.record(z.string(), z.string()),
  tags: z.record(z.string(), z.string()),
  /** The worst first, then by name; at most 1,000 (`total_metrics` says how many there are). */
  metrics: z.array(
    z.object({
      ...judged,
      step: z.number().nullable(),
      model_id: z.string().nullable(),
      dataset_name: z.string().nullable(),
      threshold_updated_at: instant.nullable(),
      threshold_updated_by: z.string().nullable(),
    }),
  ),
});
export type RunDetail = z.infer<typeof runDetailSchema>;
