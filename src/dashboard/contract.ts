import { z } from 'zod';
import { LIGHTS, METRIC_STATUSES, PIPELINE_KINDS } from '../domain/model.js';
import { CAUSES } from '../domain/status-cause.js';

/** The responses of the read API. Instants are ISO 8601 in UTC, rates are percent, ids are MLflow's. */

export const instant = z.iso.datetime();
const light = z.enum(LIGHTS);
const percent = z.number().nullable();

/** A light and the counts that decided it. */
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
  /** The pass rate minus that of the previous span of the same length, in percentage points. */
  pass_rate_trend: percent,
  /** While the light is `no_data`: the previous light, as of the end of its hour. Else null. */
  last_known: z.object({ light, reason: z.string(), at: instant, age_hours: z.int() }).nullable(),
};

/** An MLflow run with the URL of its page in MLflow. */
export const runLinkSchema = z.object({
  run_id: z.string(),
  run_name: z.string(),
  at: instant,
  url: z.url(),
});
export type RunLink = z.infer<typeof runLinkSchema>;

export const applicationNowSchema = z.object({
  application: z.string(),
  /** The tag `owner`, else `team`, of the run that `needs_attention` shows, else of `last_run`; else of its experiment. */
  owner: z.string().nullable(),
  ...verdict,
  needs_attention: z.boolean(),
  /** The newest eligible run of `days`. */
  last_run: runLinkSchema.nullable(),
  /** In the order of the top-level `days`: the light of each day and the number of its eligible runs. */
  days: z.array(z.object({ light, total: z.int() })),
});
export type ApplicationNow = z.infer<typeof applicationNowSchema>;

export const attentionSchema = z.object({
  application: z.string(),
  owner: z.string().nullable(),
  light,
  reason: z.string(),
  /** The start of the incident, at most 7 days back; null if no single metric is responsible. */
  since: instant.nullable(),
  /** Whether the incident started before those 7 days. */
  since_before: z.boolean(),
  /** null if the application has no data, or only failed runs. */
  metric: z
    .object({
      name: z.string(),
      display_name: z.string(),
      unit: z.string().nullable(),
      higher_is_better: z.boolean().nullable(),
      /** The number of runs in the span by the status of this metric. */
      critical: z.int(),
      invalid: z.int(),
      warning: z.int(),
      /** Of the last run that was not healthy; `value` is null if it was invalid. */
      status: z.enum(METRIC_STATUSES),
      value: z.number().nullable(),
      invalid_kind: z.enum(['nan', 'inf', '-inf']).nullable(),
      critical_threshold: z.number().nullable(),
      warning_threshold: z.number().nullable(),
      /** The values of the last 7 days: one run per 3 hours, the one with the median value. */
      points: z.array(z.object({ at: instant, value: z.number() })),
    })
    .nullable(),
  /** The last run of the metric that was not healthy; the last run if there is no data. */
  run: runLinkSchema.nullable(),
  /** Why the first run of the incident is not healthy; null if it started before the 7 days or no metric is responsible. */
  cause: z.enum(CAUSES).nullable(),
  why: z.string().nullable(),
  /** The path of the explanation in this API: the facts behind `cause`. */
  explanation: z.string().nullable(),
});
export type Attention = z.infer<typeof attentionSchema>;

/** A metric that is likely to cross a limit soon. It is no status: the light of the application does not depend on it. */
export const likelySchema = z.object({
  application: z.string(),
  owner: z.string().nullable(),
  /** The limit that is crossed next, by the level of the metric and not by one value. */
  next: z.enum(['warning', 'critical']),
  /** The probability is 10 % at `earliest`, which may have passed, and 50 % at `expected`. */
  earliest: instant,
  expected: instant,
  metric: z.object({
    name: z.string(),
    display_name: z.string(),
    unit: z.string().nullable(),
    higher_is_better: z.boolean().nullable(),
    /** Of its newest valid run; `value` is that from which the forecast goes on. */
    status: z.enum(METRIC_STATUSES),
    value: z.number(),
    critical_threshold: z.number().nullable(),
    warning_threshold: z.number().nullable(),
    /** As those of `needs_attention`. */
    points: z.array(z.object({ at: instant, value: z.number() })),
  }),
  run: runLinkSchema,
});
export type Likely = z.infer<typeof likelySchema>;

export const platformCurrentSchema = z.object({
  /** The span that ends with the current hour. */
  from: instant,
  to: instant,
  platform: z.object({
    ...verdict,
    /** In the order of the top-level `days`: the light at the end of each day; of today, the current light. */
    days: z.array(z.object({ light, reason: z.string(), total: z.int(), pass_rate: percent })),
  }),
  /** The applications with runs in `days`, by name. */
  applications: z.array(applicationNowSchema),
  needs_attention: z.array(attentionSchema),
  /** Of each application the metric that is expected to cross a limit first, also if it needs attention already; soonest first. */
  likely_soon: z.array(likelySchema),
  /** The 30 UTC days that end with today, oldest first. */
  days: z.array(z.iso.date()),
  /** Whether there are runs in the span, but none with a threshold. */
  all_unmonitored: z.boolean(),
  /** Sentences about stored runs that are in no status: they seem to have died, have an impossible date, or cannot be read. */
  notes: z.array(z.string()),
  /** Sentences about what the settings leave out, and how late a change after the end of a run is shown. */
  scope: z.array(z.string()),
  /** Whether the last successful delta or bootstrap ended more than 3 delta periods ago. */
  stale: z.boolean(),
  /** The end of that delta or bootstrap. */
  last_finished: instant.nullable(),
  /** The newest ended delta or bootstrap, if it failed. */
  last_failure: z.object({ run: z.string(), at: instant, message: z.string() }).nullable(),
  /** Whether the newest runs of some experiments in scope are missing. */
  partial: z.boolean(),
  lagging_experiments: z.array(z.string()),
  lagging: z.array(
    z.object({
      experiment_id: z.string(),
      name: z.string(),
      /** Everything that MLflow stored before this time is published; null if nothing is. */
      read_until: instant.nullable(),
      /** The error that MLflow returned for this experiment; null if it returned none. */
      message: z.string().nullable(),
    }),
  ),
  /** While the catalog is unavailable, runs are judged by its last response. Else null. */
  catalog_outage: z
    .object({
      /** The last complete response; null if there was none. */
      as_of: instant.nullable(),
      reason: z.string(),
      /** Whether runs are not judged yet because the catalog was never queried for their metrics or experiments. */
      waiting: z.boolean(),
    })
    .nullable(),
  /** Rows of the last catalog response that cannot be used. */
  catalog_refused: z.int(),
  /** The active bootstraps and backfills, in days. */
  progress: z.array(
    z.object({
      run: z.string(),
      kind: z.enum(PIPELINE_KINDS),
      days_done: z.int(),
      /** null while the run is not planned yet. */
      days_all: z.int().nullable(),
    }),
  ),
});
export type PlatformCurrent = z.infer<typeof platformCurrentSchema>;

/** The data of a `changed` event: the response of `/platform/current` has changed. */
export const changedSchema = z.object({
  /** Days whose published objects changed, newest first. */
  published: z.array(z.iso.date()),
  /** Pipeline runs that ended. */
  finished: z.array(z.string()),
  progress: platformCurrentSchema.shape.progress,
});
export type Changed = z.infer<typeof changedSchema>;
