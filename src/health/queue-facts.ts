import type { Queue } from 'bullmq';

export const JOB_STATES = ['waiting', 'prioritized', 'delayed', 'active', 'failed'] as const;

export interface QueueFacts {
  readonly name: string;
  readonly jobs: Readonly<Record<(typeof JOB_STATES)[number], number>>;
  readonly paused: boolean;
  /** The age of the oldest job that is ready to be processed, ms; 0 if there is none. */
  readonly oldestMs: number;
}

/** Jobs fetched of each state to find the oldest; more than a healthy queue ever contains. */
const MAX_JOBS = 100;

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
      const times = ready.flatMap((job) => (job ? [job.timestamp] : []));
      return {
        name: queue.name,
        jobs: jobs as QueueFacts['jobs'],
        paused: await queue.isPaused(),
        oldestMs: times.length === 0 ? 0 : Math.max(0, now - Math.min(...times)),
      };
    }),
  );
}
