import { ActiveJobs } from '../../../src/pipeline/active-jobs.js';

describe('the longest idle time of the active jobs', () => {
  let now: number;
  let jobs: ActiveJobs;
  beforeEach(() => {
    now = 0;
    jobs = new ActiveJobs(() => now);
  });

  it('is the time since the oldest of their last heartbeats', async () => {
    let finish: () => void = () => undefined;
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const heartbeats: (() => void)[] = [];
    const work = (heartbeat: () => void) => {
      heartbeats.push(heartbeat);
      return finished;
    };
    expect(jobs.longestIdleMs()).toBe(0);
    const first = jobs.track('a', work);
    now = 100;
    const second = jobs.track('b', work);
    expect(jobs.longestIdleMs()).toBe(100);
    heartbeats[0]?.();
    now = 130;
    expect(jobs.longestIdleMs()).toBe(30);
    heartbeats[1]?.();
    expect(jobs.longestIdleMs()).toBe(30);
    finish();
    await Promise.all([first, second]);
    expect(jobs.longestIdleMs()).toBe(0);
  });

  it('does not include jobs that failed', async () => {
    await expect(jobs.track('a', async () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    now = 100;
    expect(jobs.longestIdleMs()).toBe(0);
  });
});
