import { Markers } from '../../../src/pipeline/markers.js';
import { ALL_SLICES } from '../../../src/pipeline/stage-contracts.js';
import { MemoryStore } from '../../support/memory-store.js';
import { answersOf, planOf, sliceOf } from '../../support/plan.js';

const id = { slice: 'c0-20260310', stage: 'fetch' } as const;
let store: MemoryStore;
let markers: Markers;
beforeEach(() => {
  store = new MemoryStore();
  markers = new Markers(store, 'delta-1');
});

describe('a marker', () => {
  it('keeps the result of a stage; the first one stays', async () => {
    expect(await markers.has(id)).toBe(false);
    expect(await markers.get(id.slice, 'fetch')).toBeUndefined();
    await markers.put(id.slice, 'fetch', answersOf({ bytes: 1 }));
    await markers.put(id.slice, 'fetch', answersOf({ bytes: 2 }));
    expect(await markers.has(id)).toBe(true);
    expect(await markers.get(id.slice, 'fetch')).toEqual(answersOf({ bytes: 1 }));
  });

  it('of a plan is the plan', async () => {
    expect(await markers.plan()).toBeUndefined();
    const plan = planOf({ slices: [sliceOf({})] });
    await markers.put(ALL_SLICES, 'plan', plan);
    expect(await markers.plan()).toEqual(plan);
  });

  it('that the next reader could not read is not put', async () => {
    await expect(markers.put(id.slice, 'fetch', answersOf({ bytes: 1.5 }))).rejects.toMatchObject({
      code: 'broken_document',
    });
    expect(await markers.has(id)).toBe(false);
  });

  it('is one of those that are done, of this run and no other', async () => {
    await markers.put(ALL_SLICES, 'plan', planOf({}));
    await markers.put(id.slice, 'fetch', answersOf({}));
    await markers.nextTry({ ...id, stage: 'enrich' }, undefined);
    await new Markers(store, 'delta-11').put('other', 'fetch', answersOf({}));
    expect(await markers.done()).toEqual(new Set(['all.plan', 'c0-20260310.fetch']));
  });

  it('that was removed can be put again', async () => {
    await markers.put(id.slice, 'fetch', answersOf({ bytes: 1 }));
    await markers.remove(id);
    expect(await markers.done()).toEqual(new Set());
    await markers.put(id.slice, 'fetch', answersOf({ bytes: 2 }));
    expect((await markers.get(id.slice, 'fetch'))?.bytes).toBe(2);
  });
});

describe('the number of a try', () => {
  it('is the next one, and never comes again', async () => {
    expect(await markers.lastTry(id)).toBeUndefined();
    expect(await markers.nextTry(id, undefined)).toBe(1);
    const first = await markers.lastTry(id);
    expect(first?.number).toBe(1);
    expect(await markers.nextTry(id, first)).toBe(2);
    expect((await markers.lastTry(id))?.number).toBe(2);
  });

  it('is of one stage of one slice', async () => {
    await markers.nextTry(id, undefined);
    expect(await markers.nextTry({ ...id, stage: 'enrich' }, undefined)).toBe(1);
    expect(await markers.nextTry({ ...id, slice: 'c0-20260311' }, undefined)).toBe(1);
  });

  it('goes to one of those who claim it at the same time', async () => {
    const claim = (last: Awaited<ReturnType<Markers['lastTry']>>) =>
      Promise.all(Array.from({ length: 4 }, () => markers.nextTry(id, last)));
    expect((await claim(undefined)).filter((number) => number !== undefined)).toEqual([1]);
    expect((await claim(await markers.lastTry(id))).filter((number) => number !== undefined)).toEqual([2]);
  });

  it('is nobody’s when the store fails', async () => {
    store.beforePut = () => {
      throw new Error('no space left');
    };
    await expect(markers.nextTry(id, undefined)).rejects.toThrow('no space left');
  });
});
