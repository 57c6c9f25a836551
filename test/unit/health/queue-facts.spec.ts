import type { Queue } from 'bullmq';
import { loadQueueFacts } from '../../../src/health/queue-facts.js';

const NOW = 1_000_000;

describe('loadQueueFacts', () => {
  type Waiting = { timestamp: number; data: { run: string } } | undefined;
  const waiting = (ageMs: number, run: string): Waiting => ({ timestamp: NOW - ageMs, data: { run } });
  const queueOf = (jobs: readonly Waiting[], calls: unknown[] = []) =>
    ({
      name: 'ingestion',
      getJobCounts: async () => ({ waiting: jobs.length, active: 1 }),
      isPaused: async () => true,
      getJobs: async (...parameters: unknown[]) => {
        calls.push(parameters);
        return jobs;
      },
    }) as unknown as Queue;

  it('returns the counts and the ages of the oldest job and the oldest of a delta, in whatever order the jobs are', async () => {
    const jobs = [waiting(10, 'delta-8'), waiting(30, 'delta-7'), waiting(70, 'backfill-1'), undefined];
    expect(await loadQueueFacts([queueOf(jobs)], NOW)).toEqual([
      {
        name: 'ingestion',
        jobs: { waiting: 4, prioritized: 0, delayed: 0, active: 1, failed: 0 },
        paused: true,
        oldestMs: 70,
        oldestDeltaMs: 30,
      },
    ]);
  });

  it('fetches no jobs if none is waiting', async () => {
    const calls: unknown[] = [];
    const [facts] = await loadQueueFacts([queueOf([], calls)], NOW);
    expect([facts?.oldestMs, facts?.oldestDeltaMs, calls]).toEqual([0, 0, []]);
  });
});
