import { ActiveJobs } from '../../../src/pipeline/active-jobs.js';

describe('held jobs', () => {
  let now: number;
  let held: ActiveJobs;
  beforeEach(() => {
    now = 0;
    held = new ActiveJobs(() => now);
  });

  it('stand still as long as the one that moved on longest ago', async () => {
    let end: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const moves: (() => void)[] = [];
    const work = (heartbeat: () => void) => {
      moves.push(heartbeat);
      return ended;
    };
    expect(held.longestIdleMs()).toBe(0);
    const first = held.track('a', work);
    now = 100;
    const second = held.track('b', work);
    expect(held.longestIdleMs()).toBe(100);
    moves[0]?.();
    now = 130;
    expect(held.longestIdleMs()).toBe(30);
    moves[1]?.();
    expect(held.longestIdleMs()).toBe(30);
    end();
    await Promise.all([first, second]);
    expect(held.longestIdleMs()).toBe(0);
  });

  it('are let go of when their work fails', async () => {
    await expect(held.track('a', async () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    now = 100;
    expect(held.longestIdleMs()).toBe(0);
  });
});
