import { z } from 'zod';
import type { QueueName } from '../queue/queue-names.js';
import { openMlflowRunSchema } from '../state/open-mlflow-runs.js';
import { changeSpanSchema } from '../state/threshold-changes.js';
import { versionsSchema } from '../state/versions.js';
import { unitSchema } from './units.js';

/**
 * The stages of a pipeline run and the result that each stores in its marker: the contracts between the features.
 * A slice runs `fetch → enrich → aggregate` (`aggregate` only if slices are whole days), and the first slice of each day of a
 * historical run `forecast` before `aggregate`. The others belong to the run: `plan` runs before all slices. `select-judge`,
 * `select-forecast` and `select-rebuild` find the days whose published objects are out of date; then `judge`, `forecast` and
 * `rebuild` run once for each of these days, or of their parts. `publish` publishes the threshold changes of a reevaluation.
 */
export const STAGES = [
  'plan',
  'fetch',
  'enrich',
  'aggregate',
  'select-judge',
  'judge',
  'select-forecast',
  'forecast',
  'select-rebuild',
  'rebuild',
  'publish',
] as const;
export type Stage = (typeof STAGES)[number];

export const QUEUE_OF_STAGE = {
  plan: 'ingestion',
  fetch: 'ingestion',
  enrich: 'enrichment',
  aggregate: 'aggregation',
  'select-judge': 'enrichment',
  judge: 'enrichment',
  'select-forecast': 'aggregation',
  forecast: 'aggregation',
  'select-rebuild': 'aggregation',
  rebuild: 'aggregation',
  publish: 'aggregation',
} as const satisfies Record<Stage, QueueName>;

/** What a stage is executed for: a slice of the plan, a unit (`unitId`) or the whole run (`ALL_SLICES`). */
export interface StageId {
  readonly slice: string;
  readonly stage: Stage;
}

export const stageName = ({ slice, stage }: StageId): string => `${slice}.${stage}`;

const instant = z.int();
/** A UTC day, `YYYY-MM-DD`. */
const day = z.iso.date();

/**
 * The payload of a job: names, never rows. `version` is 2 if the job is for a part of a day: versions that do not know
 * parts refuse it, instead of failing its pipeline run.
 */
export const jobSchema = z.object({
  version: z.literal([1, 2]),
  run: z.string(),
  slice: z.string(),
  stage: z.enum(STAGES),
});
export type JobPayload = z.infer<typeof jobSchema>;

/** The slice of the stages that belong to the whole run. */
export const ALL_SLICES = 'all';

/** The part of a window that one job fetches: at most one UTC day of one chunk of experiments. Times in ms. */
export const sliceSchema = z.object({
  /** `c<chunk>-<YYYYMMDD>` */
  id: z.string().regex(/^[A-Za-z0-9-]+$/),
  chunk: z.int().nonnegative(),
  from: instant,
  to: instant,
  /** Fetches without an upper bound of the start time. */
  open_end: z.boolean(),
  /** Also fetches changes of MLflow runs that started before the window. True for one slice of each chunk. */
  last: z.boolean(),
});
export type Slice = z.infer<typeof sliceSchema>;

/** The result of `plan`. Everything after it is independent of the clock. */
export const planSchema = z.object({
  from: instant,
  to: instant,
  chunks: z.array(
    z.object({
      experiment_ids: z.array(z.string()),
      from: instant,
      /** Makes whole days equal to MLflow: stored runs that MLflow no longer returns are removed. */
      sweep: z.boolean(),
      /** The newest observation of these experiments, ms. The sweep does not cover what is observed of them later. */
      observed_at: instant,
      /** Also fetches MLflow runs that should have ended long ago. Absent in plans of older versions. */
      never_ended: z.boolean().default(true),
    }),
  ),
  /** Of a reevaluation: spans of the days to judge. */
  slices: z.array(sliceSchema),
  /** There are so many experiments that slices rely on the list that the plan stored. Absent in plans of older versions. */
  lists_once: z.boolean().default(false),
  open: z.array(openMlflowRunSchema),
  /**
   * The MLflow runs that ended last and are requested again: a metric may be logged after the end. Absent if that is
   * not due. `runs`: newest end first; `since`: when the oldest ended, ms, or null without runs.
   */
  ended: z
    .object({
      runs: z.array(z.object({ run_id: z.string(), experiment_id: z.string(), day, ended: instant })),
      since: instant.nullable(),
    })
    .optional(),
  /** Days that the first slice publishes although their facts may not change. `keys`: documents to remove afterwards. */
  dirty: z
    .object({ days: z.array(day), quarantine_days: z.array(day), keys: z.array(z.string()) })
    .default({ days: [], quarantine_days: [], keys: [] }),
  page_size: z.int().positive(),
  /** Only in a reevaluation: the threshold changes that it publishes as a dataset. */
  changes: changeSpanSchema.optional(),
  /** Only in a reevaluation of all days, after versions were raised: after it, all stored days have these. */
  versions: versionsSchema.optional(),
});
export type Plan = z.infer<typeof planSchema>;

/** One MLflow response in `_raw/`. `date`: its `Date` header, ms; `began`: `date` less the request's duration, ms. */
export const pageSchema = z.object({
  key: z.string(),
  date: instant,
  began: instant,
  runs: z.int(),
  bytes: z.int(),
});
export type Page = z.infer<typeof pageSchema>;

/** An MLflow run whose response alone is larger than `MAX_PAGE_MB`. It exists, but only its `info` is known. */
export const oversizedRunSchema = z.object({
  run_id: z.string(),
  experiment_id: z.string().nullable(),
  /** ms */
  start_time: instant.nullable(),
  /** The size of the response and the limit that it exceeds, bytes. `bytes`: `null` if unknown. */
  bytes: z.int().nullable(),
  limit: z.int(),
  /** Time of the response, ms. */
  date: instant,
  /** JSON of what is known about the run. */
  record: z.string(),
});
export type OversizedRun = z.infer<typeof oversizedRunSchema>;

export const fetchResultSchema = z.object({
  pages: z.array(pageSchema),
  /** Stored or open MLflow runs that MLflow no longer returns although it lists their experiment. `day`: `null` if not stored. */
  gone: z.array(z.object({ run_id: z.string(), day: day.nullable(), date: instant, began: instant })),
  /** Ids of the experiments that were read and are still listed. */
  answered: z.array(z.string()),
  /** Ids of the experiments whose never-ended runs were read. Absent in markers of older versions. */
  never_ended: z.array(z.string()).optional(),
  /** Runs of the plan that ended before this, ms, were not requested again: their responses are too large. Absent if all were. */
  ended_since: instant.optional(),
  /** Experiments that could not be read: MLflow denied access, or their responses cannot be read. */
  refused: z.array(z.object({ experiment_id: z.string(), message: z.string() })),
  /** Absent if there are none, and in markers of older versions. */
  oversized: z.array(oversizedRunSchema).optional(),
  bytes: z.int(),
});
export type FetchResult = z.infer<typeof fetchResultSchema>;

/** For each threshold change of the plan, how many MLflow runs got another status of the metric. Changes with none are omitted. */
const changedRunsSchema = z.array(
  z.object({
    metric_name: z.string(),
    experiment_id: z.string().nullable(),
    changed_at: instant,
    runs: z.int(),
  }),
);
export type ChangedRuns = z.infer<typeof changedRunsSchema>;

/** `LedgerEntry` of domain/ledger.ts */
const ledgerEntrySchema = z.object({
  experiment_id: z.string(),
  records: z.int(),
  inserted: z.int(),
  updated: z.int(),
  unchanged: z.int(),
  superseded: z.int(),
  undated: z.int(),
  expired: z.int(),
  quarantined: z.int(),
});

export const enrichResultSchema = z.object({
  /** The days whose facts the slice has changed, and those that it published for other reasons. */
  touched_days: z.array(day),
  runs: z.int(),
  metrics: z.int(),
  inserted: z.int(),
  updated: z.int(),
  unchanged: z.int(),
  superseded: z.int(),
  quarantined: z.int(),
  /** MLflow runs of days that are no longer kept: they are not stored. Absent if there are none. */
  expired: z.int().optional(),
  /** Where the records of each experiment went. Absent without records, and in markers of older versions. */
  ledger: z.array(ledgerEntrySchema).optional(),
  /** Runs that a sweep found new or changed, and deltas had not. Absent if there are none. */
  missed: z.int().optional(),
  /** MLflow runs that are final (finished, deleted or gone) and read without an error: they leave the open list. */
  closed: z.array(z.string()),
  partitions_written: z.int(),
  partitions_unchanged: z.int(),
  /** Facts are stored, but their days are not judged: the process is older than the store, and a newer one does it. */
  left_to_newer: z.boolean().optional(),
  /** As in the result of `judge`: in markers of older versions, whose reevaluations ran this stage. */
  changed: changedRunsSchema.optional(),
});
export type EnrichResult = z.infer<typeof enrichResultSchema>;

export const rebuildResultSchema = z.object({
  days: z.array(day),
  partitions_written: z.int(),
  partitions_unchanged: z.int(),
  /** Nothing is rebuilt: the process is older than the store, and a newer one does it. */
  left_to_newer: z.boolean().optional(),
});
export type RebuildResult = z.infer<typeof rebuildResultSchema>;

export const selectResultSchema = z.object({
  /** The units with an object that is out of date, or may be, in the order in which to start them. */
  units: z.array(unitSchema),
  /** Objects of other days, which are up to date. */
  partitions_unchanged: z.int(),
  /** As in the result of `rebuild`. */
  left_to_newer: z.boolean().optional(),
});
export type SelectResult = z.infer<typeof selectResultSchema>;

export const judgeResultSchema = z.object({
  partitions_written: z.int(),
  partitions_unchanged: z.int(),
  /** Absent if the plan has no threshold changes. */
  changed: changedRunsSchema.optional(),
});
export type JudgeResult = z.infer<typeof judgeResultSchema>;

export const RESULT_OF_STAGE = {
  plan: planSchema,
  fetch: fetchResultSchema,
  enrich: enrichResultSchema,
  aggregate: rebuildResultSchema,
  'select-judge': selectResultSchema,
  judge: judgeResultSchema,
  'select-forecast': selectResultSchema,
  forecast: rebuildResultSchema,
  'select-rebuild': selectResultSchema,
  rebuild: rebuildResultSchema,
  publish: rebuildResultSchema,
} as const satisfies Record<Stage, z.ZodType>;
export type StageResults = { [S in Stage]: z.infer<(typeof RESULT_OF_STAGE)[S]> };
