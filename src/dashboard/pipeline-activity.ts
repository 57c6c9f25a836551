import { PIPELINE_KINDS, type PipelineKind } from '../domain/model.js';
import { dayOf } from '../domain/time.js';
import { Markers } from '../pipeline/markers.js';
import { type PipelineRun, readPipelineRun } from '../pipeline/pipeline-run.js';
import { finishedDays } from '../pipeline/slice-progress.js';
import type { KindState } from '../state/kind-state.js';
import type { ServiceFacts } from '../state/service-facts.js';
import { ifReadable } from '../storage/json-document.js';
import type { ObjectStore } from '../storage/object-store.js';
import type { PlatformCurrent } from './contract.js';

export interface PipelineActivity {
  /** The pipeline run that ended last, of the kinds that keep the data current. */
  readonly newest: PipelineRun | null;
  /** The last one that succeeded. */
  readonly newestDone: PipelineRun | null;
  readonly progress: PlatformCurrent['progress'];
}

type Kinds = ServiceFacts['kinds'];

/** Kinds after which the data is as MLflow has it. */
const CURRENT_DATA: readonly PipelineKind[] = ['delta', 'bootstrap'];
/** Kinds that people wait for. */
const WITH_PROGRESS: readonly PipelineKind[] = ['bootstrap', 'backfill'];

export async function loadPipelineActivity(store: ObjectStore, kinds: Kinds): Promise<PipelineActivity> {
  const ended: PipelineRun[] = [];
  for (const kind of CURRENT_DATA) ended.push(...(await newestEnded(store, kind, kinds[kind])));
  ended.sort((a, b) => (b.finished_at ?? 0) - (a.finished_at ?? 0));
  const progress: PlatformCurrent['progress'] = [];
  for (const kind of WITH_PROGRESS) {
    for (const id of kinds[kind].active) progress.push(await progressOf(store, kind, id));
  }
  return {
    newest: ended[0] ?? null,
    newestDone: ended.find(({ status }) => status === 'done') ?? null,
    progress,
  };
}

/** Records read to find one that succeeded. After more failures, the experiments that an older one was denied say nothing. */
const MAX_RECORDS = 20;

/** The ended pipeline runs of a kind, newest first, down to one that succeeded. */
export async function newestEnded(
  store: ObjectStore,
  kind: PipelineKind,
  { sequence, active }: KindState,
): Promise<PipelineRun[]> {
  const ended: PipelineRun[] = [];
  for (let number = sequence; number > Math.max(0, sequence - MAX_RECORDS); number--) {
    const id = `${kind}-${number}`;
    const record = active.includes(id) ? undefined : await ifReadable(readPipelineRun(store, id));
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
  const plan = await ifReadable(markers.plan());
  if (!plan) return { run, kind, days_done: 0, days_all: null };
  const done = finishedDays(kind, plan, await markers.done());
  const all = new Set(plan.slices.map(({ from }) => dayOf(from)));
  return { run, kind, days_done: done.length, days_all: all.size };
}

/** The ids of the pipeline runs that ended between two reads of the kinds, whatever their outcome. */
export function endedBetween(before: Kinds, after: Kinds): string[] {
  return PIPELINE_KINDS.flatMap((kind) => {
    const [old, current] = [before[kind], after[kind]];
    const created = Array.from(
      { length: current.sequence - old.sequence },
      (_, i) => `${kind}-${old.sequence + i + 1}`,
    );
    return [...old.active, ...created].filter((id) => !current.active.includes(id));
  });
}
