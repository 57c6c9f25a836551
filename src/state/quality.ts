import { z } from 'zod';
import { COUNTED_CHECKS, QUALITY_CHECKS, QUALITY_SEVERITIES } from '../domain/quality/checks.js';
import type { QualityVerdicts } from '../domain/quality/verdicts.js';
import { readCachedDocument, updateDocument } from '../storage/json-document.js';
import type { ObjectStore } from '../storage/object-store.js';

const KEY = '_state/quality.json';

const countSchema = z.object({ rows: z.int(), affected: z.int(), sample: z.string() });
const runningSchema = z.object({
  run_id: z.string(),
  application: z.string(),
  experiment_id: z.string(),
  started: z.number(),
});
const measuresSchema = z.object({
  counts: z.record(z.enum(COUNTED_CHECKS), z.record(z.string(), countSchema)),
  runs: z.record(z.string(), z.object({ count: z.int(), newest: z.number() })),
  running: z.array(runningSchema),
});
const baselineSchema = z.object({
  day: z.iso.date(),
  runs: z.record(z.string(), z.number()),
  periods: z.record(z.string(), z.number()),
  newest: z.record(z.string(), z.number()),
  durations: z.record(z.string(), z.number()),
  running: z.array(runningSchema),
});
const judged = {
  severity: z.enum(QUALITY_SEVERITIES),
  passed: z.boolean(),
  measured: z.number().nullable(),
  limit: z.number(),
  sample: z.string(),
};
const verdictSchema = z.object({
  ...judged,
  affected: z.int(),
  since: z.int(),
  row_day: z.string(),
  row_affected: z.int(),
});
const rowSchema = z.object({
  ...judged,
  pipeline_run_id: z.string(),
  at: z.int(),
  check_name: z.enum(QUALITY_CHECKS),
  application: z.string().nullable(),
  affected_rows: z.int(),
});

/** What the checks of data quality know. */
const schema = z.object({
  version: z.literal(1),
  /** The end of the newest window that was checked, ms. */
  at: z.int(),
  /** The pipeline runs that were checked last: one that is completed again is not checked again. */
  checked: z.array(z.string()),
  /** What was measured on the days that the verdicts are about, newest first. A missing one is measured by the next pipeline run. */
  days: z.record(z.iso.date(), measuresSchema),
  baseline: baselineSchema.nullable(),
  verdicts: z.partialRecord(
    z.enum(QUALITY_CHECKS),
    z.object({ total: verdictSchema, applications: z.record(z.string(), verdictSchema) }),
  ),
  /** Rows that are not in `data_quality` yet. */
  pending: z.array(rowSchema),
});
export type QualityState = z.infer<typeof schema>;

export const EMPTY_QUALITY: QualityState = {
  version: 1,
  at: 0,
  checked: [],
  days: {},
  baseline: null,
  verdicts: {},
  pending: [],
};

/** Callers share the value and do not modify it. */
export const readQuality = async (store: ObjectStore): Promise<QualityState> =>
  (await readCachedDocument(store, KEY, schema))?.value ?? EMPTY_QUALITY;

/** @param change must not modify its argument; `undefined` changes nothing */
export async function updateQuality(
  store: ObjectStore,
  change: (current: QualityState) => QualityState | undefined,
): Promise<QualityState> {
  const stored = await updateDocument(store, KEY, schema, (current) => change(current ?? EMPTY_QUALITY));
  return stored ?? EMPTY_QUALITY;
}

/** The current verdicts. */
export const readQualityVerdicts = async (store: ObjectStore): Promise<QualityVerdicts> =>
  (await readQuality(store)).verdicts as QualityVerdicts;
