import { z } from 'zod';
import type { QueueName } from '../queue/queue-names.js';
import { openMlflowRunSchema } from '../state/open-mlflow-runs.js';
import { changeSpanSchema } from '../state/threshold-changes.js';

/**
 * The stages of a pipeline run and what each leaves behind in its marker: the contracts through which the features meet.
 * A slice goes `fetch → enrich → aggregate` (the last only where slices are whole days); `plan` comes before all slices
 * and `publish` after all of them, both on the slice `all`.
 */
export const STAGES = ['plan', 'fetch', 'enrich', 'aggregate', 'publish'] as const;
export type Stage = (typeof STAGES)[number];

export const QUEUE_OF_STAGE = {
  plan: 'ingestion',
  fetch: 'ingestion',
  enrich: 'enrichment',
  aggregate: 'aggregation',
  publish: 'aggregation',
} as const satisfies Record<Stage, QueueName>;

const instant = z.int();
/** A UTC day, `YYYY-MM-DD`. */
const day = z.iso.date();

/** What a job carries: names, never rows. */
export const jobSchema = z.object({
  version: z.literal(1),
  run: z.string(),
  slice: z.string(),
  stage: z.enum(STAGES),
});
export type JobPayload = z.infer<typeof jobSchema>;

/** The slice on which `plan` and `publish` work. */
export const ALL_SLICES = 'all';

/** The part of a window that one job fetches: at most one UTC day of one chunk of experiments. */
export const sliceSchema = z.object({
  /** `c<chunk>-<YYYYMMDD>` */
  id: z.string().regex(/^[A-Za-z0-9-]+$/),
  chunk: z.int().nonnegative(),
  from: instant,
  to: instant,
  /** Asks without an upper end. */
  open_end: z.boolean(),
  /** Also asks the questions about what started before the window: one slice of each chunk. */
  last: z.boolean(),
});
export type Slice = z.infer<typeof sliceSchema>;

/** What `plan` fixes: from here on nothing of a run depends on the clock. */
export const planSchema = z.object({
  from: instant,
  to: instant,
  chunks: z.array(
    z.object({
      experiment_ids: z.array(z.string()),
      from: instant,
      /** Makes whole days equal to MLflow, so that what it no longer returns leaves. */
      sweep: z.boolean(),
      /** The newest observation of these experiments: what is seen of them later is not what was swept. */
      observed_at: instant,
    }),
  ),
  slices: z.array(sliceSchema),
  open: z.array(openMlflowRunSchema),
  page_size: z.int().positive(),
  /** Only of a reevaluation: the changes of thresholds that it puts into their dataset. */
  changes: changeSpanSchema.optional(),
});
export type Plan = z.infer<typeof planSchema>;

/** One MLflow answer in scratch, exactly as sent. `date`: its Date header, ms; `began`: `date` less the request's duration, ms. */
export const pageSchema = z.object({
  key: z.string(),
  date: instant,
  began: instant,
  runs: z.int(),
  bytes: z.int(),
});
export type Page = z.infer<typeof pageSchema>;

export const fetchResultSchema = z.object({
  pages: z.array(pageSchema),
  /** Stored or open runs that MLflow no longer returns although their experiment is listed; `day` null: not stored. */
  gone: z.array(z.object({ run_id: z.string(), day: day.nullable(), date: instant, began: instant })),
  answered: z.array(z.string()),
  refused: z.array(z.object({ experiment_id: z.string(), message: z.string() })),
  bytes: z.int(),
});
export type FetchResult = z.infer<typeof fetchResultSchema>;

export const enrichResultSchema = z.object({
  /** Days of all rows in the slice's pages, changed or not. */
  touched_days: z.array(day),
  runs: z.int(),
  metrics: z.int(),
  inserted: z.int(),
  updated: z.int(),
  unchanged: z.int(),
  superseded: z.int(),
  quarantined: z.int(),
  /** Runs read well that need no further question: finished, deleted or gone. */
  closed: z.array(z.string()),
  partitions_written: z.int(),
  partitions_unchanged: z.int(),
  /** How many runs each of the plan's changes of thresholds gave another status of a metric; none: it is left out. */
  changed: z
    .array(
      z.object({
        metric_name: z.string(),
        experiment_id: z.string().nullable(),
        changed_at: instant,
        runs: z.int(),
      }),
    )
    .optional(),
});
export type EnrichResult = z.infer<typeof enrichResultSchema>;

export const rebuildResultSchema = z.object({
  days: z.array(day),
  partitions_written: z.int(),
  partitions_unchanged: z.int(),
});
export type RebuildResult = z.infer<typeof rebuildResultSchema>;

export const RESULT_OF_STAGE = {
  plan: planSchema,
  fetch: fetchResultSchema,
  enrich: enrichResultSchema,
  aggregate: rebuildResultSchema,
  publish: rebuildResultSchema,
} as const satisfies Record<Stage, z.ZodType>;
export type StageResults = { [S in Stage]: z.infer<(typeof RESULT_OF_STAGE)[S]> };
