import { PIPELINE_KINDS, type PipelineKind } from '../domain/model.js';
import { passes } from '../domain/pattern.js';
import { dayOf } from '../domain/time.js';
import { finishedDays } from '../pipeline/due-stages.js';
import { Markers } from '../pipeline/markers.js';
import { type PipelineRun, readPipelineRun } from '../pipeline/pipeline-run.js';
import { type CatalogState, readCatalogState } from '../state/catalog-state.js';
import { readExperiments, type StoredExperiment } from '../state/experiments.js';
import { type KindState, readKindState } from '../state/kind-state.js';
import { readWatermarks, type Watermarks } from '../state/watermarks.js';
import type { ObjectStore } from '../storage/object-store.js';
import type { PlatformCurrent } from './contract.js';

/** How the service itself stands, from the documents in `_state/`. */
export interface ServiceState {
  readonly kinds: Readonly<Record<PipelineKind, KindState>>;
  readonly experiments: Readonly<Record<string, StoredExperiment>>;
  readonly watermarks: Watermarks;
  readonly catalog: CatalogState;
  /** The newest pipeline run that ended, of those that keep the data current. */
  readonly newest: PipelineRun | null;
  /** The newest of them that succeeded. */
  readonly newestDone: PipelineRun | null;
  readonly progress: PlatformCurrent['progress'];
}

/** Those after which the data is as MLflow has it. */
const KEEPING: readonly PipelineKind[] = ['delta', 'bootstrap'];
/** Those that people wait for. */
const AWAITED: readonly PipelineKind[] = ['bootstrap', 'backfill'];

export async function loadServiceState(store: ObjectStore): Promise<ServiceState> {
  const kinds: Partial<Record<PipelineKind, KindState>> = {};
  for (const kind of PIPELINE_KINDS) kinds[kind] = await readKindState(store, kind);
  const known = kinds as Record<PipelineKind, KindState>;
  const ended: PipelineRun[] = [];
  for (const kind of KEEPING) ended.push(...(await newestEnded(store, kind, known[kind])));
  ended.sort((a, b) => (b.finished_at ?? 0) - (a.finished_at ?? 0));
  const progress: PlatformCurrent['progress'] = [];
  for (const kind of AWAITED) {
    for (const run of known[kind].active) progress.push(await progressOf(store, kind, run));
  }
  return {
    kinds: known,
    experiments: await readExperiments(store),
    watermarks: await readWatermarks(store),
    catalog: await readCatalogState(store),
    newest: ended[0] ?? null,
    newestDone: ended.find(({ status }) => status === 'done') ?? null,
    progress,
  };
}

/** Runs that are looked at for the last one that succeeded: after more failures than that nobody asks what it was refused. */
const MOST_READ = 20;

/** The runs of a kind that ended, the newest first, back to one that succeeded. */
async function newestEnded(
  store: ObjectStore,
  kind: PipelineKind,
  { sequence, active }: KindState,
): Promise<PipelineRun[]> {
  const ended: PipelineRun[] = [];
  for (let number = sequence; number > Math.max(0, sequence - MOST_READ); number--) {
    const id = `${kind}-${number}`;
    const record = active.includes(id) ? undefined : await readPipelineRun(store, id);
    if (record) ended.push(record);
    if (record?.status === 'done') break;
  }
  return ended;
}

async function progressOf(
  store: ObjectStore,
  kind: PipelineKind,
  run: string,
): Promise<PlatformCurrent['progress'][number]> {
  const markers = new Markers(store, run);
  const plan = await markers.plan();
  if (!plan) return { run, kind, days_done: 0, days_all: null };
  const done = finishedDays(kind, plan, await markers.done());
  const all = new Set(plan.slices.map(({ from }) => dayOf(from)));
  return { run, kind, days_done: done.length, days_all: all.size };
}

/** Pipeline runs that ended between two looks, whatever their outcome. */
export function endedBetween(before: ServiceState, after: ServiceState): string[] {
  return PIPELINE_KINDS.flatMap((kind) => {
    const [was, is] = [before.kinds[kind], after.kinds[kind]];
    const begun = Array.from(
      { length: is.sequence - was.sequence },
      (_, i) => `${kind}-${was.sequence + i + 1}`,
    );
    return [...was.active, ...begun].filter((run) => !is.active.includes(run));
  });
}

/** Listed experiments in scope that lag behind the others, or have never been read because MLflow refuses them. */
export function laggingExperiments(
  { experiments, watermarks, newestDone }: Pick<ServiceState, 'experiments' | 'watermarks' | 'newestDone'>,
  scope: { readonly include: readonly string[]; readonly exclude: readonly string[] },
): PlatformCurrent['lagging'] {
  const front = Math.max(0, ...Object.values(watermarks));
  const refusedOf = new Map(
    newestDone?.refused.map(({ experiment_id, message }) => [experiment_id, message]),
  );
  return Object.entries(experiments).flatMap(([experiment_id, { listed, name }]) => {
    const watermark = watermarks[experiment_id];
    const message = refusedOf.get(experiment_id) ?? null;
    const lags = watermark === undefined ? message !== null : watermark < front;
    if (!listed || !lags || !passes(name, scope.include, scope.exclude)) return [];
    const read_until = watermark === undefined ? null : new Date(watermark).toISOString();
    return [{ experiment_id, name, read_until, message }];
  });
}

/** What keeps the catalog from answering, by the codes of its errors. */
const OUTAGES: Readonly<Record<string, string>> = {
  catalog_refused: 'the catalog refuses to answer',
  catalog_unreadable: 'the catalog cannot be read',
  catalog_too_big: 'the catalog sends more than is read',
};

/** null: it answers, or was never asked. */
export function catalogOutage({
  last_success,
  last_error,
  awaited,
}: CatalogState): PlatformCurrent['catalog_outage'] {
  if (!last_error) return null;
  const { code, status } = last_error;
  const what = OUTAGES[code] ?? 'the catalog does not answer';
  return {
    as_of: last_success === null ? null : new Date(last_success).toISOString(),
    reason: status === null ? what : `${what} (HTTP ${status})`,
    waiting: awaited,
  };
}
