import type { Queue } from 'bullmq';
import { loadQueueFacts, loadServiceFacts, readingOf } from '../../../src/health/facts.js';
import { closePipelineRun, createPipelineRun } from '../../../src/pipeline/pipeline-run.js';
import { writeCatalogState } from '../../../src/state/catalog-state.js';
import type { StoredExperiment } from '../../../src/state/experiments.js';
import { MemoryStore } from '../../support/memory-store.js';

const HOUR = 3_600_000;
const NOW = 100 * HOUR;
const ALL = { experiment_include: [], experiment_exclude: [] };

const experiment = (name: string, listed = true): StoredExperiment => ({
  name,
  lifecycle_stage: 'active',
  tags: {},
  listed,
  observed_at: 0,
  swept: true,
});

describe('how far experiments are published', () => {
  const experiments = {
    1: experiment('churn'),
    2: experiment('fraud'),
    3: experiment('new'),
    4: experiment('gone', false),
    5: experiment('scratch'),
  };
  const watermarks = { 1: NOW - HOUR, 2: NOW - 5 * HOUR, 4: 0, 5: NOW - 9 * HOUR };

  it('counts those that are listed, and takes the age of the oldest', () => {
    expect(readingOf({ experiments, watermarks }, ALL, NOW)).toEqual({
      experiments: { current: 1, lagging: 2, unread: 1 },
      lagMs: 9 * HOUR,
    });
  });

  it('leaves out what is not watched', () => {
    const scope = { experiment_include: [], experiment_exclude: ['scratch', 'new'] };
    expect(readingOf({ experiments, watermarks }, scope, NOW)).toEqual({
      experiments: { current: 1, lagging: 1, unread: 0 },
      lagMs: 5 * HOUR,
    });
  });

  it('has no lag where nothing was read, and none below zero where clocks differ', () => {
    expect(readingOf({ experiments, watermarks: {} }, ALL, NOW).lagMs).toBeNull();
    expect(
      readingOf({ experiments: { 1: experiment('a') }, watermarks: { 1: NOW + HOUR } }, ALL, NOW).lagMs,
    ).toBe(0);
  });
});

it('the facts of the service come from its small objects', async () => {
  const store = new MemoryStore();
  await createPipelineRun(store, 'delta', { scheduledAt: null, now: 1 });
  await createPipelineRun(store, 'backup', { scheduledAt: null, now: 1 });
  const outcome = { status: 'done' as const, error: null, refused: [], summary: null };
  await closePipelineRun(store, { id: 'delta-1', kind: 'delta' }, outcome, 7_000);
  await writeCatalogState(store, { last_success: 5_000, refused: 2 });
  const { kinds, catalog, watermarks, experiments } = await loadServiceFacts(store);
  expect([kinds.delta.last_finished, kinds.backup.active]).toEqual([7_000, ['backup-1']]);
  expect([catalog.refused, watermarks, experiments]).toEqual([2, {}, {}]);
});

describe('the facts of a queue', () => {
  const queueOf = (jobs: readonly ({ timestamp: number } | undefined)[], asked: unknown[] = []) =>
    ({
      name: 'ingestion',
      getJobCounts: async () => ({ waiting: jobs.length, active: 1 }),
      isPaused: async () => true,
      getJobs: async (...question: unknown[]) => {
        asked.push(question);
        return jobs;
      },
    }) as unknown as Queue;

  it('are its counts, and the age of its oldest job, whichever comes first', async () => {
    const jobs = [{ timestamp: NOW - 10 }, { timestamp: NOW - 70 }, undefined];
    expect(await loadQueueFacts([queueOf(jobs)], NOW)).toEqual([
      {
        name: 'ingestion',
        jobs: { waiting: 3, prioritized: 0, delayed: 0, active: 1, failed: 0 },
        paused: true,
        oldestMs: 70,
      },
    ]);
  });

  it('cost nothing more where nothing waits', async () => {
    const asked: unknown[] = [];
    const [facts] = await loadQueueFacts([queueOf([], asked)], NOW);
    expect([facts?.oldestMs, asked]).toEqual([0, []]);
  });
});
