import { MonitorError } from '../domain/errors.js';
import { Ledger } from '../domain/ledger.js';
import { isKept } from '../domain/retention.js';
import type { EnrichResult, FetchResult, Page } from '../pipeline/stage-contracts.js';
import {
  addDirtyDays,
  type DirtyDays,
  mergeDirtyDays,
  readDirtyDays,
  type SliceOwner,
} from '../state/dirty-days.js';
import { addOpenMlflowRuns } from '../state/open-mlflow-runs.js';
import { partitionFilesOf } from '../state/partition-files.js';
import { readFirstDays } from '../state/retention.js';
import { addRunTimes } from '../state/run-times.js';
import { isOlderProcess } from '../state/versions.js';
import { type Duck, type DuckSession, sql } from '../storage/duck.js';
import { lookAhead } from '../storage/look-ahead.js';
import type { ObjectStore } from '../storage/object-store.js';
import type { Look } from '../storage/publish.js';
import { createFacts } from './create-facts.js';
import type { RulebookSource } from './judge-day.js';
import { judgeDays } from './judge-days.js';
import { mergeDay } from './merge-day.js';
import { publishQuarantine, quarantine } from './quarantine.js';

export interface FetchedSlice {
  readonly pipelineRunId: string;
  readonly sliceId: string;
  readonly fetched: FetchResult;
  /** Days to publish although their facts may not change. */
  readonly dirty: DirtyDays;
  /** Ids of the open MLflow runs in the plan: the result lists as `closed` only runs of these. */
  readonly plannedOpenRuns: ReadonlySet<string>;
  /** Of a sweep: until when deltas have read each experiment, ms. */
  readonly readUntil?: (() => Promise<ReadonlyMap<string, number>>) | undefined;
  /** Called after each day. */
  readonly heartbeat: () => void;
}

interface OpenRun {
  readonly run_id: string;
  readonly experiment_id: string;
  /** null if the run has no time yet. */
  readonly day: string | null;
  /** Whether a later response must decide what is stored: the run is fetched again whatever its age. */
  readonly undecided?: boolean;
}

/**
 * Merges the pages of one slice into the base and judges the days whose facts they change. An earlier attempt, or another
 * pipeline run, may have died after it changed a day and before it published it: such days are stored as dirty, and judged
 * as well. A process that is older than the store only merges: `left_to_newer`.
 * @param serverNow requests the tracking server's clock, ms
 */
export async function enrichSlice(
  store: ObjectStore,
  duck: Duck,
  rulebook: RulebookSource,
  serverNow: () => Promise<number>,
  slice: FetchedSlice,
): Promise<EnrichResult> {
  const { result, quarantined } = await mergeSlice(store, duck, serverNow, slice);
  // Read after the merge: of two executions of a slice, each may have changed days that the other one found unchanged.
  const dirty = mergeDirtyDays(slice.dirty, await readDirtyDays(store, ownerOf(slice)));
  result.touched_days = dirty.days.reverse();
  const left = dirty.quarantine_days.filter((day) => !quarantined.has(day));
  if (left.length > 0) {
    await duck.session(async (session) => {
      for (const day of left) await publishQuarantine(session, store, day);
    });
  }
  const responseTimes = slice.fetched.pages.map(({ date }) => date);
  const observed = responseTimes.reduce((newest, date) => Math.max(newest, date), 0) || undefined;
  try {
    const units = result.touched_days.map((day) => ({ day }));
    const judged = await judgeDays(store, duck, rulebook, units, slice.heartbeat, observed);
    result.partitions_written = judged.written;
    result.partitions_unchanged = judged.unchanged;
  } catch (error) {
    if (!isOlderProcess(error)) throw error;
    result.left_to_newer = true;
  }
  return result;
}

const ownerOf = ({ pipelineRunId, sliceId }: FetchedSlice): SliceOwner => ({ pipelineRunId, sliceId });

/**
 * Pages that are read and merged together: reading takes several times their size in memory. Ordinary slices are one
 * group.
 */
const GROUP_BYTES = 32 * 2 ** 20;

/** Splits pages into groups of at most `GROUP_BYTES`, or of one page. */
function groupPages(pages: readonly Page[]): Page[][] {
  const groups: Page[][] = [[]];
  let bytes = 0;
  for (const page of pages) {
    if (bytes > 0 && bytes + page.bytes > GROUP_BYTES) {
      groups.push([]);
      bytes = 0;
    }
    groups.at(-1)?.push(page);
    bytes += page.bytes;
  }
  return groups;
}

/** The base objects of more days than this are listed: runs that never ended may lie on hundreds of days. */
const MANY_DAYS = 4;

const lookAtBases = async (store: ObjectStore, days: readonly string[]): Promise<Look | undefined> =>
  days.length > MANY_DAYS
    ? lookAhead(store, [{ datasets: ['_base'], days }], partitionFilesOf(store).known)
    : undefined;

interface SliceRun extends OpenRun {
  readonly open: boolean;
  readonly metrics: number;
}

/** Merges the pages, and records the days that they change as dirty. @returns `quarantined`: days whose quarantine it published */
async function mergeSlice(
  store: ObjectStore,
  duck: Duck,
  serverNow: () => Promise<number>,
  slice: FetchedSlice,
): Promise<{ result: EnrichResult; quarantined: ReadonlySet<string> }> {
  const { pipelineRunId, fetched, plannedOpenRuns, heartbeat, readUntil } = slice;
  const markDirty = (added: Partial<DirtyDays>) => addDirtyDays(store, ownerOf(slice), added);
  const result: EnrichResult = {
    touched_days: [],
    runs: 0,
    metrics: 0,
    inserted: 0,
    updated: 0,
    unchanged: 0,
    superseded: 0,
    quarantined: 0,
    closed: [],
    partitions_written: 0,
    partitions_unchanged: 0,
  };
  const quarantined = new Set<string>();
  const ledger = new Ledger();
  let missed = 0;
  const runs = new Map<string, SliceRun>();
  const stillOpen = new Map<string, OpenRun>();
  /** Runs of days that are no longer kept: nothing of them is stored, and they are not fetched again. */
  const expired = new Set<string>();
  const groups = groupPages(fetched.pages);
  for (const [i, pages] of groups.entries()) {
    const isLast = i === groups.length - 1;
    const gone = isLast ? fetched.gone.filter(({ run_id }) => !runs.has(run_id)) : [];
    const oversized = (isLast && fetched.oversized) || [];
    // Most slices of a delta, and days without runs.
    if (pages.length + gone.length + oversized.length === 0) continue;
    await duck.session(async (session) => {
      await loadFacts(store, session, pages, gone);
      const unreadable = await quarantine(session, store, pipelineRunId, oversized, (quarantine_days) => {
        for (const day of quarantine_days) quarantined.add(day);
        return markDirty({ quarantine_days });
      });
      result.quarantined += unreadable.length;
      for (const experiment of unreadable) ledger.add(experiment, 'quarantined', 1);
      for (const { experiment_id } of oversized) ledger.add(experiment_id, 'records', 1);
      await countReceived(session, ledger);
      const days = await session.rows<{ day: string }>(sql(import.meta.url, './sql/touched_days.sql'));
      const first = days.length > 0 ? await readFirstDays(store) : {};
      const look = await lookAtBases(
        store,
        days.map(({ day }) => day),
      );
      for (const { day } of days) {
        if (!isKept(first, '_base', day)) continue;
        const options = { beforePut: () => markDirty({ days: [day] }), look, ledger, readUntil };
        const files = await partitionFilesOf(store).on(day);
        const counts = await mergeDay(session, store, serverNow, day, files, options);
        result.inserted += counts.inserted;
        result.updated += counts.updated;
        result.unchanged += counts.unchanged;
        result.superseded += counts.superseded;
        missed += counts.missed;
        for (const run of counts.undecided) stillOpen.set(run.run_id, { ...run, day, undecided: true });
        heartbeat();
      }
      for (const { experiment_id, day, runs: count } of await session.rows<FactsOfDay>(
        sql(import.meta.url, './sql/facts_by_day.sql'),
      )) {
        if (day === null) ledger.add(experiment_id, 'undated', count);
        else if (!isKept(first, '_base', day)) ledger.add(experiment_id, 'expired', count);
      }
      for (const run of await session.rows<SliceRun>(sql(import.meta.url, './sql/slice_runs.sql'))) {
        runs.set(run.run_id, run);
        const { run_id, experiment_id, day } = run;
        if (day !== null && !isKept(first, '_base', day)) expired.add(run_id);
        else if (run.open && !stillOpen.has(run_id)) stillOpen.set(run_id, { run_id, experiment_id, day });
      }
    });
  }
  if (expired.size > 0) result.expired = expired.size;
  const entries = ledger.entries();
  if (entries.length > 0) result.ledger = entries;
  if (missed > 0) result.missed = missed;
  if (stillOpen.size > 0) await addOpenMlflowRuns(store, [...stillOpen.values()]);
  for (const { metrics } of runs.values()) result.metrics += metrics;
  result.runs = runs.size;
  result.closed = [...runs.values(), ...fetched.gone]
    .map(({ run_id }) => run_id)
    .filter((run_id) => plannedOpenRuns.has(run_id) && !stillOpen.has(run_id));
  return { result, quarantined };
}

interface FactsOfDay {
  readonly experiment_id: string;
  readonly day: string | null;
  readonly runs: number;
}

/** Counts the records that the pages have. Reads `parsed`. */
async function countReceived(session: DuckSession, ledger: Ledger): Promise<void> {
  const received = await session.rows<{ experiment_id: string | null; records: number }>(
    sql(import.meta.url, './sql/received_records.sql'),
  );
  for (const { experiment_id, records } of received) ledger.add(experiment_id, 'records', records);
}

/** Makes `page_times`, `parsed`, `latest`, `facts` and `gone` from the stored pages. */
async function loadFacts(
  store: ObjectStore,
  session: DuckSession,
  pages: readonly Page[],
  gone: FetchResult['gone'],
): Promise<void> {
  // Pages with the same bytes share one local file; the latest request counts.
  const times = new Map<string, { file: string; date: number; began: number }>();
  for (const { key, date, began } of pages) {
    const stored = await store.fetch(key);
    if (!stored) {
      throw new MonitorError('raw_page_gone', `The page ${key} is missing from the store`, { key }, true);
    }
    const known = times.get(stored.file);
    if (!known || known.began < began) times.set(stored.file, { file: stored.file, date, began });
  }
  const bytes = Math.max(0, ...pages.map((page) => page.bytes));
  await createFacts(session, [...times.values()], bytes, (ended) => addRunTimes(store, ended), gone);
}
