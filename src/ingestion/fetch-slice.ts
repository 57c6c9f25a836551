import { errorMessage, MonitorError } from '../domain/errors.js';
import type { PipelineKind } from '../domain/model.js';
import { dayOf, dayStart } from '../domain/time.js';
import type { FetchResult, Plan, Slice } from '../pipeline/stage-contracts.js';
import { mergeExperiments, readExperiments } from '../state/experiments.js';
import { isNeverEnded, NEVER_ENDED_AFTER_MS } from '../state/never-ended-runs.js';
import { partitionFilesOf } from '../state/partition-files.js';
import { type Duck, type DuckSession, sql } from '../storage/duck.js';
import { baseKey } from '../storage/keys.js';
import type { ObjectStore } from '../storage/object-store.js';
import { dayParts } from '../storage/parts.js';
import { fetchLastEnded } from './last-ended-runs.js';
import type { MlflowClient } from './mlflow-api.js';
import { isTimeout } from './mlflow-responses.js';
import { type MissingRun, RunSearch } from './run-search.js';
import { StoredPages } from './stored-pages.js';

export interface SliceTask {
  readonly pipelineRunId: string;
  readonly kind: PipelineKind;
  readonly plan: Plan;
  readonly slice: Slice;
  /** Called after each page. */
  readonly heartbeat: () => void;
}

/** Kinds that make whole days equal to MLflow. */
const SWEEPS: ReadonlySet<PipelineKind> = new Set(['historical', 'backfill', 'bootstrap']);

type GoneRun = FetchResult['gone'][number] & { readonly experiment_id: string };

/**
 * Downloads the runs of one slice from MLflow. If a chunk of experiments fails and MLflow is not down, each experiment is
 * fetched alone: one that fails lags, the others go on. The slice has no result for an experiment that is not listed any
 * more. Pages that an earlier execution of the slice has stored are not requested again.
 */
export function fetchSlice(
  store: ObjectStore,
  client: MlflowClient,
  duck: Duck,
  task: SliceTask,
): Promise<FetchResult> {
  const { pipelineRunId, plan, slice, heartbeat } = task;
  const prefix = `_raw/${pipelineRunId}/${slice.id}`;
  return duck.session(async (session) => {
    const stored = await StoredPages.list(store, prefix);
    const options = { prefix, pageSize: plan.page_size, stored, heartbeat };
    const ids = plan.chunks[slice.chunk]?.experiment_ids ?? [];
    const searches: RunSearch[] = [];
    const gone: GoneRun[] = [];
    const neverEnded = new Set<string>();
    let endedSince: number | undefined;
    const fetchExperiments = async (experiments: readonly string[]) => {
      const search = new RunSearch(store, client, session, options);
      gone.push(...(await fetchRuns(store, session, search, task, experiments)));
      searches.push(search);
      if (!slice.last) return;
      if (plan.chunks[slice.chunk]?.never_ended) {
        const old = await fetchNeverEnded(search, task, experiments);
        gone.push(...old.gone);
        if (old.isComplete) for (const id of experiments) neverEnded.add(id);
      }
      const last = await fetchEnded(search, task, experiments);
      gone.push(...last.gone);
      if (last.since !== undefined) endedSince = Math.max(endedSince ?? last.since, last.since);
    };
    const failed = await fetchIsolated(client, ids, fetchExperiments);
    const isListed = await findListed(store, client, !plan.lists_once || gone.length > 0);
    const failedIds = new Set(failed.map(({ experiment_id }) => experiment_id));
    const oversized = searches
      .flatMap((search) => search.oversized)
      .filter(({ experiment_id }) => experiment_id === null || isListed(experiment_id));
    return {
      pages: searches.flatMap(({ pages }) => pages),
      gone: gone
        .filter(({ experiment_id }) => isListed(experiment_id))
        .map(({ run_id, day, date, began }) => ({ run_id, day, date, began })),
      answered: ids.filter((id) => isListed(id) && !failedIds.has(id)),
      refused: failed,
      ...(neverEnded.size > 0 ? { never_ended: [...neverEnded].filter((id) => isListed(id)) } : {}),
      ...(endedSince === undefined ? {} : { ended_since: endedSince }),
      ...(oversized.length > 0 ? { oversized } : {}),
      bytes: searches.reduce((sum, { bytes }) => sum + bytes, 0),
    };
  });
}

/**
 * Whether an experiment is listed. MLflow returns no runs, and no error, for an experiment that this account may no longer
 * read, and a list from before the searches cannot tell. If there are very many experiments, the list that the plan stored
 * must suffice, unless published runs would be removed.
 */
async function findListed(
  store: ObjectStore,
  client: MlflowClient,
  listsAgain: boolean,
): Promise<(id: string) => boolean> {
  if (!listsAgain) {
    const stored = await readExperiments(store);
    return (id) => stored[id]?.listed !== false;
  }
  const { experiments, date } = await client.listExperiments();
  await mergeExperiments(store, experiments, date);
  const listed = new Set(experiments.map(({ experiment_id }) => experiment_id));
  return (id) => listed.has(id);
}

/** So many experiments in succession may fail by a server error; then the server is considered to be down. */
const MAX_SERVER_ERRORS = 2;

/**
 * Fetches the experiments together or, if that fails for a reason that may lie in one of them, one by one.
 * @returns the experiments that cannot be read
 */
async function fetchIsolated(
  client: MlflowClient,
  ids: readonly string[],
  fetchExperiments: (ids: readonly string[]) => Promise<void>,
): Promise<FetchResult['refused']> {
  const failed: FetchResult['refused'] = [];
  let serverErrors = 0;
  const isIsolated = async (error: unknown): Promise<boolean> => {
    if (isOfExperiment(error)) return true;
    if (!isServerError(error) || serverErrors >= MAX_SERVER_ERRORS) return false;
    // Throws if MLflow is down.
    await client.serverTime();
    return true;
  };
  try {
    await fetchExperiments(ids);
    return failed;
  } catch (error) {
    if (!(await isIsolated(error))) throw error;
  }
  for (const id of ids) {
    try {
      await fetchExperiments([id]);
      serverErrors = 0;
    } catch (error) {
      if (!(await isIsolated(error))) throw error;
      if (isServerError(error)) serverErrors++;
      // No experiment can be read: the reason is the server.
      if (serverErrors > 1 && serverErrors === ids.length) throw error;
      failed.push({ experiment_id: id, message: errorMessage(error) });
    }
  }
  return failed;
}

/** Codes of errors whose reason lies in the data or the permissions of an experiment. */
const EXPERIMENT_ERRORS: ReadonlySet<string> = new Set([
  'mlflow_refused',
  'page_too_big',
  'too_many_pages',
  'repeated_page',
]);
const isOfExperiment = (error: unknown): boolean =>
  error instanceof MonitorError && EXPERIMENT_ERRORS.has(error.code);

/** Whether the server, or a proxy before it, failed at this request, but may respond to others. */
const isServerError = (error: unknown): boolean =>
  isTimeout(error) ||
  (error instanceof MonitorError && (error.context.status === 500 || error.code === 'mlflow_not_json'));

interface ExpectedRun {
  readonly experiment_id: string;
  readonly day: string | null;
}
type ExpectedRuns = ReadonlyMap<string, ExpectedRun>;

/**
 * Searches for all runs of the slice in some experiments, except never-ended ones.
 * @returns the expected runs that MLflow no longer returns
 */
async function fetchRuns(
  store: ObjectStore,
  session: DuckSession,
  search: RunSearch,
  { kind, plan, slice }: SliceTask,
  experiments: readonly string[],
): Promise<GoneRun[]> {
  if (experiments.length === 0) return [];
  await search.search(experiments, slice.open_end ? [] : [`attributes.start_time < ${slice.to}`], slice.from);
  const chunk = plan.chunks[slice.chunk];
  const expected = new Map<string, ExpectedRun>();
  if (slice.last && chunk) {
    const before = `attributes.start_time < ${chunk.from}`;
    await search.search(experiments, [before, `attributes.end_time >= ${chunk.from}`], null);
    const recent = neverEndedBefore(plan);
    if (recent < chunk.from) {
      for (const status of OPEN_STATUSES) await search.search(experiments, [before, status], recent);
    }
    for (const { run_id, ...run } of openRunsOf(plan, slice, experiments)) {
      if (!isNeverEnded(run, plan.to)) expected.set(run_id, run);
    }
  }
  if (SWEEPS.has(kind) || chunk?.sweep) {
    const day = dayOf(slice.from);
    for (const { run_id, experiment_id } of await storedRuns(store, session, day, experiments)) {
      expected.set(run_id, { experiment_id, day });
    }
  }
  return findGone(search, experiments, expected);
}

const OPEN_STATUSES = ["attributes.status = 'RUNNING'", "attributes.status = 'SCHEDULED'"] as const;

/** Runs that started before this time and have not ended count as never ended, ms. */
const neverEndedBefore = (plan: Plan): number => dayStart(dayOf(plan.to - NEVER_ENDED_AFTER_MS));

/**
 * Searches for the runs that should have ended long ago, which deltas do only every `NEVER_ENDED_PERIOD_MS`. If that fails
 * for a reason that lies in one of the experiments, the runs are not read, but the experiments do not lag because of it.
 */
async function fetchNeverEnded(
  search: RunSearch,
  { plan, slice }: SliceTask,
  experiments: readonly string[],
): Promise<{ readonly gone: GoneRun[]; readonly isComplete: boolean }> {
  const from = plan.chunks[slice.chunk]?.from ?? plan.from;
  const before = `attributes.start_time < ${Math.min(from, neverEndedBefore(plan))}`;
  const expected = new Map<string, ExpectedRun>();
  for (const { run_id, ...run } of openRunsOf(plan, slice, experiments)) {
    if (isNeverEnded(run, plan.to)) expected.set(run_id, run);
  }
  try {
    for (const status of OPEN_STATUSES) await search.search(experiments, [before, status], null);
    return { gone: await findGone(search, experiments, expected), isComplete: true };
  } catch (error) {
    if (!isOfExperiment(error) && !isServerError(error)) throw error;
    return { gone: [], isComplete: false };
  }
}

/** Requests the runs of the plan that ended last. If that fails because of one of the experiments, they do not lag. */
async function fetchEnded(
  search: RunSearch,
  { plan, slice }: SliceTask,
  experiments: readonly string[],
): Promise<{ readonly gone: GoneRun[]; readonly since?: number }> {
  const from = plan.chunks[slice.chunk]?.from ?? plan.from;
  const ids = new Set(experiments);
  const runs = (plan.ended?.runs ?? []).filter(
    ({ experiment_id, day }) => ids.has(experiment_id) && !isInOtherSlice(day, from, slice),
  );
  try {
    const { missing, ...rest } = await fetchLastEnded(search, experiments, runs);
    return { gone: goneOf(missing, new Map(runs.map((run) => [run.run_id, run]))), ...rest };
  } catch (error) {
    if (!isOfExperiment(error) && !isServerError(error)) throw error;
    return { gone: [], since: plan.to };
  }
}

/** The open runs of the plan that no other slice fetches. */
function openRunsOf(plan: Plan, slice: Slice, experiments: readonly string[]): Plan['open'] {
  const from = plan.chunks[slice.chunk]?.from ?? plan.from;
  const ids = new Set(experiments);
  return plan.open.filter(
    ({ experiment_id, day }) => ids.has(experiment_id) && !isInOtherSlice(day, from, slice),
  );
}

/** Requests the expected runs that the searches have not returned. @returns those that MLflow no longer has */
async function findGone(
  search: RunSearch,
  experiments: readonly string[],
  expected: ExpectedRuns,
): Promise<GoneRun[]> {
  const unseen = [...expected.keys()].filter((id) => !search.returnedIds.has(id));
  return goneOf(await search.findMissing(experiments, unseen), expected);
}

const goneOf = (missing: readonly MissingRun[], expected: ExpectedRuns): GoneRun[] =>
  missing.flatMap(({ run_id, response: { date, began } }) => {
    const run = expected.get(run_id);
    return run ? [{ run_id, experiment_id: run.experiment_id, day: run.day, date, began }] : [];
  });

/** Whether the first search of another slice returns the runs of that day. */
function isInOtherSlice(day: string | null, from: number, slice: Slice): boolean {
  return day !== null && dayStart(day) >= from && day !== dayOf(slice.from);
}

async function storedRuns(
  store: ObjectStore,
  session: DuckSession,
  day: string,
  experiments: readonly string[],
): Promise<{ run_id: string; experiment_id: string }[]> {
  const bases: string[] = [];
  for (const { part } of dayParts(day, await partitionFilesOf(store).on(day))) {
    const base = await store.fetch(baseKey(day, part));
    if (base) bases.push(base.file);
  }
  if (bases.length === 0) return [];
  return session.rows(sql(import.meta.url, './sql/stored_runs.sql'), { bases, experiments });
}
