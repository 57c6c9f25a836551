import { z } from 'zod';
import { LIGHTS, METRIC_STATUSES, PIPELINE_KINDS } from '../domain/model.js';
import { CAUSES } from '../domain/status-cause.js';

/** What the read API answers. Instants are ISO 8601 in UTC, rates are percent, ids are MLflow's. */

const instant = z.iso.datetime();
const light = z.enum(LIGHTS);
const percent = z.number().nullable();

/** A light with what it was decided from. */
const verdict = {
  light,
  reason: z.string(),
  total: z.int(),
  critical: z.int(),
  invalid: z.int(),
  warning: z.int(),
  healthy: z.int(),
  unmonitored: z.int(),
  running: z.int(),
  failed: z.int(),
  evaluated: z.int(),
  pass_rate: percent,
  strict_pass_rate: percent,
  coverage: percent,
  /** The pass rate less that of the same span before, in points. */
  pass_rate_trend: percent,
  /** While the light is `no_data`: the one before, as of the end of its hour. */
  last_known: z.object({ light, reason: z.string(), at: instant, age_hours: z.int() }).nullable(),
};

/** A run with the address of its page in MLflow. */
const run = z.object({ run_id: z.string(), run_name: z.string(), at: instant, url: z.url() });
export type RunLink = z.infer<typeof run>;

const application = z.object({
  application: z.string(),
  ...verdict,
  needs_attention: z.boolean(),
  /** The newest eligible run of the days shown. */
  last_run: run.nullable(),
  /** As `days`: the light of each day, and its eligible runs. */
  days: z.array(z.object({ light, total: z.int() })),
});
export type ApplicationNow = z.infer<typeof application>;

const attention = z.object({
  application: z.string(),
  owner: z.string().nullable(),
  light,
  reason: z.string(),
  /** Since when, and whether it began before the 7 days that are looked at. null: no single metric is to blame. */
  since: instant.nullable(),
  since_before: z.boolean(),
  /** null: the application has no data, or failed runs only. */
  metric: z
    .object({
      name: z.string(),
      display_name: z.string(),
      unit: z.string().nullable(),
      higher_is_better: z.boolean().nullable(),
      /** Runs of the span by the status of this metric. */
      critical: z.int(),
      invalid: z.int(),
      warning: z.int(),
      /** Of the last run that was not healthy; value null: it was invalid. */
      status: z.enum(METRIC_STATUSES),
      value: z.number().nullable(),
      invalid_kind: z.enum(['nan', 'inf', '-inf']).nullable(),
      critical_threshold: z.number().nullable(),
      warning_threshold: z.number().nullable(),
      /** Values of 7 days: of every 3 hours the run with the middle one. */
      points: z.array(z.object({ at: instant, value: z.number() })),
    })
    .nullable(),
  /** The last run of the metric that was not healthy; without data the last run. */
  run: run.nullable(),
  /** Why the first run since then is not healthy; null: it began before the 7 days, or no metric is to blame. */
  cause: z.enum(CAUSES).nullable(),
  why: z.string().nullable(),
  /** The path at which this API tells the facts behind the cause. */
  explanation: z.string().nullable(),
});
export type Attention = z.infer<typeof attention>;

export const platformCurrentSchema = z.object({
  /** The span that ends with the current hour. */
  from: instant,
  to: instant,
  platform: z.object({
    ...verdict,
    /** As `days`: the light at the end of each day, of today the current one. */
    days: z.array(z.object({ light, reason: z.string(), total: z.int(), pass_rate: percent })),
  }),
  /** Those with runs in the days shown, by name. */
  applications: z.array(application),
  needs_attention: z.array(attention),
  /** The 30 UTC days that end with today, oldest first. */
  days: z.array(z.iso.date()),
  /** There are runs, and not one of them has a threshold. */
  all_unmonitored: z.boolean(),
  /** No delta (or bootstrap, which reads as much) succeeded for 3 periods. */
  stale: z.boolean(),
  /** The end of the last one that succeeded. */
  last_finished: instant.nullable(),
  /** The newest pipeline run that reads, if it failed. */
  last_failure: z.object({ run: z.string(), at: instant, message: z.string() }).nullable(),
  /** Experiments in scope that lag behind the others. */
  partial: z.boolean(),
  lagging_experiments: z.array(z.string()),
  lagging: z.array(
    z.object({
      experiment_id: z.string(),
      name: z.string(),
      /** What MLflow knew before is here; null: nothing is yet. */
      read_until: instant.nullable(),
      /** Why MLflow refused it. */
      message: z.string().nullable(),
    }),
  ),
  /** The catalog does not answer, and runs are judged by what it said last. */
  catalog_outage: z
    .object({
      /** When it last answered all that was asked; null: it never has. */
      as_of: instant.nullable(),
      reason: z.string(),
      /** Whether runs wait to be judged, since it was never asked for their metrics or experiments. */
      waiting: z.boolean(),
    })
    .nullable(),
  /** Items of its last answer that cannot be used. */
  catalog_refused: z.int(),
  /** Bootstraps and backfills at work, by days. */
  progress: z.array(
    z.object({
      run: z.string(),
      kind: z.enum(PIPELINE_KINDS),
      days_done: z.int(),
      /** null: not known yet. */
      days_all: z.int().nullable(),
    }),
  ),
});
export type PlatformCurrent = z.infer<typeof platformCurrentSchema>;

/** The data of a `changed` event: what `/platform/current` answers now is something else. */
export const changedSchema = z.object({
  /** Days that were published, newest first. */
  published: z.array(z.iso.date()),
  /** Pipeline runs that ended. */
  finished: z.array(z.string()),
  progress: platformCurrentSchema.shape.progress,
});
export type Changed = z.infer<typeof changedSchema>;
