import { concurrently } from '../config/concurrently.js';
import { QUALITY_CHECKS, type QualityLimits } from '../domain/quality/checks.js';
import type { Baseline, DayMeasures } from '../domain/quality/measure.js';
import { judgeQuality, type QualityVerdicts } from '../domain/quality/verdicts.js';
import { addDays, dayOf } from '../domain/time.js';
import { readOpenMlflowRuns } from '../state/open-mlflow-runs.js';
import { partitionFilesOf } from '../state/partition-files.js';
import { type QualityState, readQuality, updateQuality } from '../state/quality.js';
import type { Duck } from '../storage/duck.js';
import { type Dataset, partitionKey } from '../storage/keys.js';
import type { ObjectStore } from '../storage/object-store.js';
import { measureBaseline } from './measure-baseline.js';
import { type MeasuredDay, measureDay } from './measure-day.js';
import { publishQualityRows } from './publish-rows.js';
import { qualityResults } from './results.js';

export interface CheckedRun {
  readonly id: string;
  /** The end of its window, ms. */
  readonly to: number;
  /** The days that it changed. */
  readonly touched: ReadonlySet<string>;
  /** Whether it may have changed days long ago: what is usual is then computed again. */
  readonly readsHistory: boolean;
}

/** Verdicts are about so many UTC days, the last of which is that of the window's end. */
const CHECKED_DAYS = 2;
/** Pipeline runs that are remembered as checked: more than can be unfinished at a time. */
const REMEMBERED_RUNS = 50;
/** Rows that wait for publishing, if the store does not accept them: the newest stay. */
const MAX_PENDING = 5_000;

/**
 * Checks the data after a pipeline run was published: measures the days that it changed, judges, and publishes the rows. The
 * verdicts and the rows are stored at once, before the dataset is written: after a kill the next call goes on from there.
 * Called twice for a pipeline run, it adds the same rows once.
 */
export async function checkQuality(
  store: ObjectStore,
  duck: Duck,
  limits: QualityLimits,
  run: CheckedRun,
): Promise<void> {
  let state = await readQuality(store);
  if (!state.checked.includes(run.id)) state = await measureAndJudge(store, duck, limits, run, state);
  if (state.pending.length === 0) return;
  await publishQualityRows(store, duck, state.pending);
  const published = new Set(state.pending.map(({ pipeline_run_id }) => pipeline_run_id));
  await updateQuality(store, (current) => ({
    ...current,
    pending: current.pending.filter(({ pipeline_run_id }) => !published.has(pipeline_run_id)),
  }));
}

async function measureAndJudge(
  store: ObjectStore,
  duck: Duck,
  limits: QualityLimits,
  run: CheckedRun,
  known: QualityState,
): Promise<QualityState> {
  const at = Math.max(run.to, known.at);
  const today = dayOf(at);
  const checks = new Set(QUALITY_CHECKS.filter((check) => limits[check].enabled));
  const days: Record<string, DayMeasures> = {};
  const failed = new Set<string>();
  const measured = new Map<string, MeasuredDay>();
  for (let back = 0; back < CHECKED_DAYS; back++) {
    const day = addDays(today, -back);
    const stored = known.days[day];
    if (stored && !run.touched.has(day)) {
      days[day] = stored as DayMeasures;
      continue;
    }
    const each = await measureDay(duck, await filesOfDay(store, day), checks, at);
    measured.set(day, each);
    days[day] = each.measures;
    if (Object.keys(each.errors).length > 0) failed.add(day);
  }
  const isUsual = known.baseline?.day === today && !(run.readsHistory && run.touched.size > 0);
  const baseline = isUsual
    ? (known.baseline as Baseline)
    : await measureBaseline(duck, (dataset, wanted) => filesOf(store, dataset, wanted), today);
  const isRunning = [baseline, ...Object.values(days)].some(({ running }) => running.length > 0);
  const open = isRunning ? await readOpenMlflowRuns(store) : [];
  const openRuns = new Set(open.map(({ run_id }) => run_id));
  const errors = Object.assign({}, ...[...measured.values()].map((each) => each.errors));
  const results = qualityResults({ days, baseline, openRuns, errors }, limits, at);
  return updateQuality(store, (current) => {
    if (current.checked.includes(run.id)) return undefined;
    const { verdicts, rows } = judgeQuality(current.verdicts as QualityVerdicts, {
      pipeline_run_id: run.id,
      at,
      limits,
      results,
    });
    // Most deltas change nothing and leave the document as it is.
    if (rows.length === 0 && measured.size === 0 && isUsual) return undefined;
    // If another pipeline run has measured a day meanwhile, either may be newer: the next one measures it again.
    const isSame = (day: string) => sameMeasures(current.days[day], known.days[day]);
    return {
      ...current,
      at: Math.max(at, current.at),
      checked: [...current.checked, run.id].slice(-REMEMBERED_RUNS),
      days: Object.fromEntries(Object.entries(days).filter(([day]) => !failed.has(day) && isSame(day))),
      baseline,
      verdicts,
      pending: [...current.pending, ...rows].slice(-MAX_PENDING),
    } as QualityState;
  });
}

const sameMeasures = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** The local files that a day is measured on. */
async function filesOfDay(store: ObjectStore, day: string) {
  return {
    runs: await filesOf(store, 'runs', [day]),
    enriched_metrics: await filesOf(store, 'enriched_metrics', [day]),
    quarantine: await filesOf(store, 'quarantine', [day]),
  };
}

async function filesOf(store: ObjectStore, dataset: Dataset, days: readonly string[]): Promise<string[]> {
  const found = await concurrently(days, async (day) => {
    const files = dataset === 'quarantine' ? 1 : await partitionFilesOf(store).on(day);
    const parts = Array.from({ length: files }, (_, part) => part);
    return concurrently(parts, (part) => store.fetch(partitionKey(dataset, day, part)));
  });
  return found.flat().flatMap((object) => (object ? [object.file] : []));
}
