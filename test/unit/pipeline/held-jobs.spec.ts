import { HeldJobs } from '../../../src/pipeline/held-jobs.js';

describe('held jobs', () => {
  let now: number;
  let held: HeldJobs;
  beforeEach(() => {
    now = 0;
    held = new HeldJobs(() => now);
  });

  it('stand still as long as the one that moved on longest ago', async () => {
    let end: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const moves: (() => void)[] = [];
    const work = (progressed: () => void) => {
      moves.push(progressed);
      return ended;
    };
    expect(held.longestStill()).toBe(0);
    const first = held.hold('a', work);
    now = 100;
    const second = held.hold('b', work);
    expect(held.longestStill()).toBe(100);
    moves[0]?.();
    now = 130;
    expect(held.longestStill()).toBe(30);
    moves[1]?.();
    expect(held.longestStill()).toBe(30);
    end();
    await Promise.all([first, second]);
    expect(held.longestStill()).toBe(0);
  });

  it('are let go of when their work fails', async () => {
    await expect(held.hold('a', async () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    now = 100;
    expect(held.longestStill()).toBe(0);
  });
});
