import type { Queue } from 'bullmq';
import { type DomainSettings, PIPELINE_KINDS, type PipelineKind } from '../domain/model.js';
import { passes } from '../domain/pattern.js';
import { type CatalogState, readCatalogState } from '../state/catalog-state.js';
import { readExperiments, type StoredExperiment } from '../state/experiments.js';
import { type KindState, readKindState } from '../state/kind-state.js';
import { readWatermarks, type Watermarks } from '../state/watermarks.js';
import type { ObjectStore } from '../storage/object-store.js';

/** How the whole service stands, from a few small objects of the store: the same in every process. */
export interface ServiceFacts {
  readonly kinds: Readonly<Record<PipelineKind, KindState>>;
  readonly experiments: Readonly<Record<string, StoredExperiment>>;
  readonly watermarks: Watermarks;
  readonly catalog: CatalogState;
}

export async function loadServiceFacts(store: ObjectStore): Promise<ServiceFacts> {
  const kindOf = async (kind: PipelineKind) => [kind, await readKindState(store, kind)] as const;
  const [kinds, experiments, watermarks, catalog] = await Promise.all([
    Promise.all(PIPELINE_KINDS.map(kindOf)),
    readExperiments(store),
    readWatermarks(store),
    readCatalogState(store),
  ]);
  const known = Object.fromEntries(kinds) as Record<PipelineKind, KindState>;
  return { kinds: known, experiments, watermarks, catalog };
}

/** `current`: published as far as any; `lagging`: not so far; `unread`: nothing of it yet. */
export const EXPERIMENT_STATES = ['current', 'lagging', 'unread'] as const;
export type ExperimentState = (typeof EXPERIMENT_STATES)[number];

export interface Reading {
  /** How many watched experiments there are of each state. */
  readonly experiments: Readonly<Record<ExperimentState, number>>;
  /** The age of the oldest watermark, ms; null: there is none. */
  readonly lagMs: number | null;
}

/** How far the experiments are published that are listed and in scope. */
export function readingOf(
  { experiments, watermarks }: Pick<ServiceFacts, 'experiments' | 'watermarks'>,
  scope: Pick<DomainSettings, 'experiment_include' | 'experiment_exclude'>,
  now: number,
): Reading {
  const counts = { current: 0, lagging: 0, unread: 0 };
  const marks: number[] = [];
  const front = Object.values(watermarks).reduce((newest, mark) => Math.max(newest, mark), 0);
  for (const [id, { listed, name }] of Object.entries(experiments)) {
    if (!listed || !passes(name, scope.experiment_include, scope.experiment_exclude)) continue;
    const mark = watermarks[id];
    if (mark !== undefined) marks.push(mark);
    counts[mark === undefined ? 'unread' : mark < front ? 'lagging' : 'current']++;
  }
  const oldest = marks.reduce((old, mark) => Math.min(old, mark), Number.POSITIVE_INFINITY);
  return { experiments: counts, lagMs: marks.length === 0 ? null : Math.max(0, now - oldest) };
}

export const JOB_STATES = ['waiting', 'prioritized', 'delayed', 'active', 'failed'] as const;

export interface QueueFacts {
  readonly name: string;
  readonly jobs: Readonly<Record<(typeof JOB_STATES)[number], number>>;
  readonly paused: boolean;
  /** The age of the oldest job that could be worked on, ms; 0 without any. */
  readonly oldestMs: number;
}

/** Jobs of each kind that are looked at for the oldest one: all of them, but for queues that have long been ill. */
const MOST_READ = 100;

export async function loadQueueFacts(queues: readonly Queue[], now: number): Promise<QueueFacts[]> {
  return Promise.all(
    queues.map(async (queue) => {
      const counts = await queue.getJobCounts(...JOB_STATES);
      const jobs = Object.fromEntries(JOB_STATES.map((state) => [state, counts[state] ?? 0]));
      const waiting =
        jobs.waiting || jobs.prioritized
          ? await queue.getJobs(['waiting', 'prioritized'], 0, MOST_READ - 1, true)
          : [];
      // A job may be gone by the time it is read.
      const times = waiting.flatMap((job) => (job ? [job.timestamp] : []));
      return {
        name: queue.name,
        jobs: jobs as QueueFacts['jobs'],
        paused: await queue.isPaused(),
        oldestMs: times.length === 0 ? 0 : Math.max(0, now - Math.min(...times)),
      };
    }),
  );
}
