import type { Queue } from 'bullmq';
import { loadQueueFacts } from '../../../src/health/queue-facts.js';

const NOW = 1_000_000;

describe('loadQueueFacts', () => {
  const queueOf = (jobs: readonly ({ timestamp: number } | undefined)[], calls: unknown[] = []) =>
    ({
      name: 'ingestion',
      getJobCounts: async () => ({ waiting: jobs.length, active: 1 }),
      isPaused: async () => true,
      getJobs: async (...parameters: unknown[]) => {
        calls.push(parameters);
        return jobs;
      },
    }) as unknown as Queue;

  it('returns the counts and the age of the oldest job, in whatever order the jobs are', async () => {
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

  it('fetches no jobs if none is waiting', async () => {
    const calls: unknown[] = [];
    const [facts] = await loadQueueFacts([queueOf([], calls)], NOW);
    expect([facts?.oldestMs, calls]).toEqual([0, []]);
  });
});
