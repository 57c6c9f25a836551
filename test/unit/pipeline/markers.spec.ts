import { jest } from '@jest/globals';
import { Markers } from '../../../src/pipeline/markers.js';
import { ALL_SLICES } from '../../../src/pipeline/stage-contracts.js';
import { MemoryStore } from '../../support/memory-store.js';
import { fetchResultOf, planOf, sliceOf } from '../../support/stage-results.js';

const id = { slice: 'c0-20260310', stage: 'fetch' } as const;
let store: MemoryStore;
let markers: Markers;
beforeEach(() => {
  store = new MemoryStore();
  markers = new Markers(store, 'delta-1');
});

describe('a marker', () => {
  it('stores the first result of a stage', async () => {
    expect(await markers.has(id)).toBe(false);
    expect(await markers.get(id.slice, 'fetch')).toBeUndefined();
    await markers.put(id.slice, 'fetch', fetchResultOf({ bytes: 1 }));
    await markers.put(id.slice, 'fetch', fetchResultOf({ bytes: 2 }));
    expect(await markers.has(id)).toBe(true);
    expect(await markers.get(id.slice, 'fetch')).toEqual(fetchResultOf({ bytes: 1 }));
  });

  it('of the stage `plan` is the plan', async () => {
    expect(await markers.plan()).toBeUndefined();
    const plan = planOf({ slices: [sliceOf({})] });
    await markers.put(ALL_SLICES, 'plan', plan);
    expect(await markers.plan()).toEqual(plan);
  });

  it('of the stage `plan` is read once by all stages of a pipeline run', async () => {
    await markers.put(ALL_SLICES, 'plan', planOf({ to: 1 }));
    const read = jest.spyOn(store, 'get');
    for (let i = 0; i < 3; i++) expect((await new Markers(store, 'delta-1').plan())?.to).toBe(1);
    expect(read).toHaveBeenCalledTimes(1);
    expect(await new Markers(store, 'delta-2').plan()).toBeUndefined();
  });

  it('that does not match its schema is not stored', async () => {
    await expect(markers.put(id.slice, 'fetch', fetchResultOf({ bytes: 1.5 }))).rejects.toMatchObject({
      code: 'broken_document',
    });
    expect(await markers.has(id)).toBe(false);
  });

  it('is listed as done in its own pipeline run only', async () => {
    await markers.put(ALL_SLICES, 'plan', planOf({}));
    await markers.put(id.slice, 'fetch', fetchResultOf({}));
    await markers.claimAttempt({ ...id, stage: 'enrich' }, undefined);
    await new Markers(store, 'delta-11').put('other', 'fetch', fetchResultOf({}));
    expect(await markers.done()).toEqual(new Set(['all.plan', 'c0-20260310.fetch']));
  });

  it('that was removed can be stored again', async () => {
    await markers.put(id.slice, 'fetch', fetchResultOf({ bytes: 1 }));
    await markers.remove(id);
    expect(await markers.done()).toEqual(new Set());
    await markers.put(id.slice, 'fetch', fetchResultOf({ bytes: 2 }));
    expect((await markers.get(id.slice, 'fetch'))?.bytes).toBe(2);
  });
});

describe('the number of an attempt', () => {
  it('increases and is never reused', async () => {
    expect(await markers.lastAttempt(id)).toBeUndefined();
    expect(await markers.claimAttempt(id, undefined)).toBe(1);
    const first = await markers.lastAttempt(id);
    expect(first?.number).toBe(1);
    expect(await markers.claimAttempt(id, first)).toBe(2);
    expect((await markers.lastAttempt(id))?.number).toBe(2);
  });

  it('counts the attempts of one stage of one slice', async () => {
    await markers.claimAttempt(id, undefined);
    expect(await markers.claimAttempt({ ...id, stage: 'enrich' }, undefined)).toBe(1);
    expect(await markers.claimAttempt({ ...id, slice: 'c0-20260311' }, undefined)).toBe(1);
  });

  it('is given to one of several simultaneous claims', async () => {
    const claim = (last: Awaited<ReturnType<Markers['lastAttempt']>>) =>
      Promise.all(Array.from({ length: 4 }, () => markers.claimAttempt(id, last)));
    expect((await claim(undefined)).filter((number) => number !== undefined)).toEqual([1]);
    expect((await claim(await markers.lastAttempt(id))).filter((number) => number !== undefined)).toEqual([
      2,
    ]);
  });

  it('is not claimed when the store fails', async () => {
    store.beforePut = () => {
      throw new Error('no space left');
    };
    await expect(markers.claimAttempt(id, undefined)).rejects.toThrow('no space left');
  });
});
