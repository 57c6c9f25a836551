import { z } from 'zod';
import { instant } from '../contract.js';

const limit = z.number().nullable();

/** The limits that runs were judged by, from the run at `from` until the next entry of the same experiment. */
export const limitStepSchema = z.object({
  /** The time of the first run that these limits judged. */
  from: instant,
  /** null: limits of the platform. Else the runs of this experiment have their own. */
  experiment_id: z.string().nullable(),
  critical_threshold: limit,
  warning_threshold: limit,
  /** The newest change of the threshold row, as the catalog has it. */
  updated_at: instant.nullable(),
  updated_by: z.string().nullable(),
});
export type LimitStep = z.infer<typeof limitStepSchema>;

/** A detected change of the limits, from `threshold_changes`. It applies to runs of up to 7 days before it too. */
export const limitChangeSchema = z.object({
  /** When the change was detected. */
  at: instant,
  /** The name or pattern of the changed threshold row. */
  metric_name: z.string(),
  experiment_id: z.string().nullable(),
  old_critical_threshold: limit,
  old_warning_threshold: limit,
  new_critical_threshold: limit,
  new_warning_threshold: limit,
  updated_by: z.string().nullable(),
  /** The stored runs, of all applications, whose status changed. */
  runs_changed: z.int(),
});
export type LimitChange = z.infer<typeof limitChangeSchema>;
