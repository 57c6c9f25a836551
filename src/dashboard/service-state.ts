import { PIPELINE_KINDS, type PipelineKind } from '../domain/model.js';
import { passes } from '../domain/pattern.js';
import { dayOf } from '../domain/time.js';
import { finishedDays } from '../pipeline/due.js';
import { readExperiments, type StoredExperiment } from '../pipeline/experiments.js';
import { Markers } from '../pipeline/markers.js';
import { type KindState, type RunRecord, readKind, readRecord } from '../pipeline/run-record.js';
import { readWatermarks, type Watermarks } from '../pipeline/watermark.js';
import type { ObjectStore } from '../storage/object-store.js';
import type { PlatformCurrent } from './contract.js';

/** How the service itself stands, from the documents in `_state/`. */
export interface ServiceState {
  readonly kinds: Readonly<Record<PipelineKind, KindState>>;
  readonly experiments: Readonly<Record<string, StoredExperiment>>;
  readonly watermarks: Watermarks;
  /** The newest finished pipeline run of those that keep the data current. */
  readonly newest: RunRecord | null;
  readonly progress: PlatformCurrent['progress'];
}

/** Those after which the data is as MLflow has it. */
const KEEPING: readonly PipelineKind[] = ['delta', 'bootstrap'];
/** Those that people wait for. */
const AWAITED: readonly PipelineKind[] = ['bootstrap', 'backfill'];

export async function loadServiceState(store: ObjectStore): Promise<ServiceState> {
  const kinds: Partial<Record<PipelineKind, KindState>> = {};
  for (const kind of PIPELINE_KINDS) kinds[kind] = await readKind(store, kind);
  const known = kinds as Record<PipelineKind, KindState>;
  const finished: RunRecord[] = [];
  for (const kind of KEEPING) {
    const record = await newestFinished(store, kind, known[kind]);
    if (record) finished.push(record);
  }
  finished.sort((a, b) => (b.finished_at ?? 0) - (a.finished_at ?? 0));
  const progress: PlatformCurrent['progress'] = [];
  for (const kind of AWAITED) {
    for (const run of known[kind].active) progress.push(await progressOf(store, kind, run));
  }
  return {
    kinds: known,
    experiments: await readExperiments(store),
    watermarks: await readWatermarks(store),
    newest: finished[0] ?? null,
    progress,
  };
}

async function newestFinished(
  store: ObjectStore,
  kind: PipelineKind,
  { sequence, active }: KindState,
): Promise<RunRecord | undefined> {
  for (let number = sequence; number > 0 && number >= sequence - active.length; number--) {
    const id = `${kind}-${number}`;
    if (!active.includes(id)) return readRecord(store, id);
  }
  return undefined;
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
  { experiments, watermarks, newest }: Pick<ServiceState, 'experiments' | 'watermarks' | 'newest'>,
  scope: { readonly include: readonly string[]; readonly exclude: readonly string[] },
): PlatformCurrent['lagging'] {
  const front = Math.max(0, ...Object.values(watermarks));
  const refusedOf = new Map(newest?.refused.map(({ experiment_id, message }) => [experiment_id, message]));
  return Object.entries(experiments).flatMap(([experiment_id, { listed, name }]) => {
    const watermark = watermarks[experiment_id];
    const message = refusedOf.get(experiment_id) ?? null;
    const lags = watermark === undefined ? message !== null : watermark < front;
    if (!listed || !lags || !passes(name, scope.include, scope.exclude)) return [];
    const read_until = watermark === undefined ? null : new Date(watermark).toISOString();
    return [{ experiment_id, name, read_until, message }];
  });
}
