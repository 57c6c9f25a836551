import { z } from 'zod';
import { LIGHTS } from '../../domain/model.js';
import { applicationNowSchema, attentionSchema, instant, platformCurrentSchema } from '../contract.js';
import { application, paging } from './parameters.js';

export const applicationsQuery = z.strictObject({
  status: z.enum(LIGHTS).optional().meta({ description: 'Only applications with this light.' }),
  owner: z.string().min(1).optional().meta({ description: 'Only applications of this owner.' }),
  text: z
    .string()
    .min(1)
    .optional()
    .meta({ description: 'Only applications whose name or owner contains this text, in any case.' }),
  ...paging,
});

/** The response of `/applications`: those with a run in the last 30 days, worst light first, then by name. */
export const applicationsSchema = z.object({
  applications: z.array(applicationNowSchema),
  /** The number of applications that pass the filters, on all pages. */
  total: z.int(),
  /** The owners of all applications, sorted. */
  owners: z.array(z.string()),
  /** The days of `days` of each application. */
  days: platformCurrentSchema.shape.days,
  /** The cursor of the next page; null on the last one. */
  next: z.string().nullable(),
});
export type Applications = z.infer<typeof applicationsSchema>;

export const applicationQuery = z.strictObject({ application });

/** The response of `/application`. Everything in it agrees with `/platform/current`. */
export const applicationSchema = applicationNowSchema.extend({
  /** The span of the light. */
  from: instant,
  to: instant,
  /** The days of `days`. */
  day_names: platformCurrentSchema.shape.days,
  /** The entry of `needs_attention`, if there is one: what is wrong, since when, why. */
  attention: attentionSchema.nullable(),
  /** The tag `runbook` of its last run, else of the experiment, if it is an address (http or https). */
  runbook: z.url().nullable(),
  /** The experiment of the last run. */
  experiment: z.object({ experiment_id: z.string(), name: z.string(), url: z.url() }).nullable(),
  stale: platformCurrentSchema.shape.stale,
  last_finished: platformCurrentSchema.shape.last_finished,
});
export type Application = z.infer<typeof applicationSchema>;
