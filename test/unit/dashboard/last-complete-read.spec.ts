import { jest } from '@jest/globals';
import { lastCompleteReadBefore } from '../../../src/dashboard/last-complete-read.js';
import {
  closePipelineRun,
  createPipelineRun,
  type PipelineRunOutcome,
} from '../../../src/pipeline/pipeline-run.js';
import { MemoryStore } from '../../support/memory-store.js';

const MINUTE = 60_000;
const NOW = Date.parse('2026-03-10T12:00:00Z');

let store: MemoryStore;
beforeEach(() => {
  store = new MemoryStore();
});

/** A pipeline run that begins so many minutes from `NOW` and ends one minute later; null: it is at work. */
async function run(
  kind: 'delta' | 'bootstrap',
  begins: number,
  outcome: Partial<PipelineRunOutcome> | null = {},
) {
  const id = await createPipelineRun(store, kind, { scheduledAt: null, now: NOW + begins * MINUTE });
  if (!id) throw new Error('no run');
  if (!outcome) return;
  const end = NOW + (begins + 1) * MINUTE;
  const whole: PipelineRunOutcome = { status: 'done', error: null, refused: [], summary: null, ...outcome };
  await closePipelineRun(store, { id, kind }, whole, end);
}
/** In minutes from `NOW`. */
const look = async (seen: number) => {
  const found = await lastCompleteReadBefore(store, NOW + seen * MINUTE, '1');
  return found === null ? null : (found - NOW) / MINUTE;
};
const refused = { refused: [{ experiment_id: '1', message: 'no permission' }] };

describe('when MLflow was last asked before it showed a run', () => {
  it('is the newest delta that had ended well, of many', async () => {
    for (let number = 0; number < 40; number++) await run('delta', 5 * number);
    expect(await look(0)).toBeNull();
    expect(await look(3)).toBe(0);
    expect(await look(102)).toBe(100);
    expect(await look(99)).toBe(95);
    expect(await look(1000)).toBe(195);
  });

  it('is none that failed, is at work, or was refused the experiment', async () => {
    await run('delta', 0);
    await run('delta', 5, { status: 'failed' });
    await run('delta', 10, refused);
    await run('delta', 15, { refused: [{ experiment_id: '2', message: 'no permission' }] });
    await run('delta', 20, null);
    expect(await look(15)).toBe(0);
    expect(await look(30)).toBe(15);
  });

  it('is none that ended so little before that it may be the one that saw it', async () => {
    await run('delta', 0);
    expect(await look(1.9)).toBeNull();
    expect(await look(2.1)).toBe(0);
  });

  it('is none while the history is being read for the first time', async () => {
    await run('delta', -10);
    await run('bootstrap', -5);
    await run('delta', -4.5);
    const get = jest.spyOn(store, 'get');
    expect(await look(-3.5)).toBeNull();
    expect(get).toHaveBeenCalledTimes(1);
    // The delta was made before the bootstrap had ended.
    expect(await look(0)).toBe(-5);
    await run('delta', 5);
    expect(await look(10)).toBe(5);
  });

  it('is none after a first reading that failed, or is not done yet', async () => {
    await run('bootstrap', 0, { status: 'failed' });
    expect(await look(60)).toBeNull();
    await run('delta', 5);
    expect(await look(60)).toBe(5);
    store = new MemoryStore();
    await run('delta', -10);
    await run('bootstrap', 0, null);
    expect(await look(60)).toBeNull();
  });

  it('is none in a store that has read nothing', async () => {
    expect(await look(0)).toBeNull();
  });
});
