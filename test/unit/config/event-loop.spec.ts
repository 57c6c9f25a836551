import { inSlices } from '../../../src/config/event-loop.js';
import { type Steps } from '../../../src/domain/steps.js';

function* sum(to: number): Steps<number> {
  let total = 0;
  for (let i = 1; i <= to; i++) {
    yield;
    total += i;
  }
  return total;
}

describe('a computation in slices', () => {
  it('lets the event loop run each time a slice has passed', async () => {
    let time = 0;
    let turns = 0;
    const options = { sliceMs: 10, now: () => time++, turn: async () => void turns++ };
    await expect(inSlices(sum(1_000), options)).resolves.toBe(500_500);
    expect(turns).toBeGreaterThanOrEqual(80);
  });

  it('lets other callbacks of the event loop run', async () => {
    let others = 0;
    const other = () => {
      others++;
      pending = setImmediate(other);
    };
    let pending = setImmediate(other);
    await inSlices(sum(100), { sliceMs: 0 });
    clearImmediate(pending);
    expect(others).toBeGreaterThanOrEqual(99);
  });

  it('runs a short computation at once', async () => {
    let turns = 0;
    await expect(inSlices(sum(10), { now: () => 0, turn: async () => void turns++ })).resolves.toBe(55);
    expect(turns).toBe(0);
  });

  it('passes errors on', async () => {
    const failing = function* (): Steps<void> {
      yield;
      throw new RangeError('no');
    };
    await expect(inSlices(failing())).rejects.toThrow('no');
  });
});
