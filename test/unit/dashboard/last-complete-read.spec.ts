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

/** A pipeline run that starts `begins` minutes from `NOW` and ends one minute later; with outcome null it is active. */
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
const lastRead = async (observed: number) => {
  const time = await lastCompleteReadBefore(store, NOW + observed * MINUTE, '1');
  return time === null ? null : (time - NOW) / MINUTE;
};
const denied = { refused: [{ experiment_id: '1', message: 'no permission' }] };

describe('lastCompleteReadBefore', () => {
  it('finds the newest successful delta among many', async () => {
    for (let number = 0; number < 40; number++) await run('delta', 5 * number);
    expect(await lastRead(0)).toBeNull();
    expect(await lastRead(3)).toBe(0);
    expect(await lastRead(102)).toBe(100);
    expect(await lastRead(99)).toBe(95);
    expect(await lastRead(1000)).toBe(195);
  });

  it('skips runs that failed, are active, or were denied the experiment', async () => {
    await run('delta', 0);
    await run('delta', 5, { status: 'failed' });
    await run('delta', 10, denied);
    await run('delta', 15, { refused: [{ experiment_id: '2', message: 'no permission' }] });
    await run('delta', 20, null);
    expect(await lastRead(15)).toBe(0);
    expect(await lastRead(30)).toBe(15);
  });

  it('skips a run that ended so recently that it may have observed the MLflow run', async () => {
    await run('delta', 0);
    expect(await lastRead(1.9)).toBeNull();
    expect(await lastRead(2.1)).toBe(0);
  });

  it('finds none while the history is being read for the first time', async () => {
    await run('delta', -10);
    await run('bootstrap', -5);
    await run('delta', -4.5);
    const get = jest.spyOn(store, 'get');
    expect(await lastRead(-3.5)).toBeNull();
    expect(get).toHaveBeenCalledTimes(1);
    // The delta was created before the bootstrap ended.
    expect(await lastRead(0)).toBe(-5);
    await run('delta', 5);
    expect(await lastRead(10)).toBe(5);
  });

  it('finds none after a bootstrap that failed or is still active', async () => {
    await run('bootstrap', 0, { status: 'failed' });
    expect(await lastRead(60)).toBeNull();
    await run('delta', 5);
    expect(await lastRead(60)).toBe(5);
    store = new MemoryStore();
    await run('delta', -10);
    await run('bootstrap', 0, null);
    expect(await lastRead(60)).toBeNull();
  });

  it('finds none in an empty store', async () => {
    expect(await lastRead(0)).toBeNull();
  });
});
