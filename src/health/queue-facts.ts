import type { Job, Queue } from 'bullmq';

export const JOB_STATES = ['waiting', 'prioritized', 'delayed', 'active', 'failed'] as const;

export interface QueueFacts {
  readonly name: string;
  readonly jobs: Readonly<Record<(typeof JOB_STATES)[number], number>>;
  readonly paused: boolean;
  /** The age of the oldest job that is ready to be processed, ms; 0 if there is none. */
  readonly oldestMs: number;
  /** The same for jobs of deltas, by which workers are scaled: a backfill may wait. */
  readonly oldestDeltaMs: number;
}

/** Jobs fetched of each state to find the oldest; more than a healthy queue ever contains. */
const MAX_JOBS = 100;

const isOfDelta = (data: { run?: unknown } | undefined): boolean => `${data?.run}`.startsWith('delta-');

const ageOfOldest = (jobs: readonly Job[], now: number): number =>
  jobs.length === 0 ? 0 : Math.max(0, now - Math.min(...jobs.map(({ timestamp }) => timestamp)));

/** @param now ms */
export async function loadQueueFacts(queues: readonly Queue[], now: number): Promise<QueueFacts[]> {
  return Promise.all(
    queues.map(async (queue) => {
      const counts = await queue.getJobCounts(...JOB_STATES);
      const jobs = Object.fromEntries(JOB_STATES.map((state) => [state, counts[state] ?? 0]));
      const ready =
        jobs.waiting || jobs.prioritized
          ? await queue.getJobs(['waiting', 'prioritized'], 0, MAX_JOBS - 1, true)
          : [];
      // A job may be removed between the listing of ids and the fetch.
      const jobsReady = ready.filter((job) => job !== undefined);
      const deltas = jobsReady.filter(({ data }) => isOfDelta(data));
      return {
        name: queue.name,
        jobs: jobs as QueueFacts['jobs'],
        paused: await queue.isPaused(),
        oldestMs: ageOfOldest(jobsReady, now),
        oldestDeltaMs: ageOfOldest(deltas, now),
      };
    }),
  );
}
