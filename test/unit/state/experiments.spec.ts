import { finish } from '../../../src/domain/steps.js';
import {
  type ListedExperiment,
  mergeExperiments,
  mergeListing,
  readExperiments,
  type StoredExperiment,
} from '../../../src/state/experiments.js';
import { MemoryStore } from '../../support/memory-store.js';

const stored = (rest: Partial<StoredExperiment> = {}): StoredExperiment => ({
  name: 'churn',
  lifecycle_stage: 'active',
  tags: { team: 'a' },
  listed: true,
  observed_at: 100,
  swept: true,
  ...rest,
});
const listed = (rest: Partial<ListedExperiment> = {}): ListedExperiment => ({
  experiment_id: '1',
  name: 'churn',
  lifecycle_stage: 'active',
  tags: { team: 'a' },
  ...rest,
});
const merge = (known: StoredExperiment | undefined, listing: ListedExperiment[], date = 200) =>
  finish(mergeListing(known ? { 1: known } : {}, listing, date))[1];

describe('mergeListing', () => {
  it('adds a new experiment, which needs no sweep', () => {
    expect(merge(undefined, [listed()])).toEqual(stored({ observed_at: 200 }));
    expect(merge(undefined, [listed({ lifecycle_stage: 'deleted' })])?.swept).toBe(true);
  });

  it('returns the same object if nothing changed', () => {
    const known = stored();
    expect(merge(known, [listed()])).toBe(known);
  });

  it.each([
    ['name', listed({ name: 'fraud' }), { name: 'fraud' }],
    ['tags', listed({ tags: { team: 'b' } }), { tags: { team: 'b' } }],
    ['more tags', listed({ tags: { team: 'a', x: '' } }), { tags: { team: 'a', x: '' } }],
    ['fewer tags', listed({ tags: {} }), { tags: {} }],
  ])('updates %s without a sweep', (_, listing, change) => {
    expect(merge(stored(), [listing])).toEqual(stored({ ...change, observed_at: 200 }));
  });

  it.each([
    ['active', 'deleted'],
    ['deleted', 'active'],
  ] as const)('needs a sweep after a change from %s to %s', (before, after) => {
    expect(merge(stored({ lifecycle_stage: before }), [listed({ lifecycle_stage: after })])).toEqual(
      stored({ lifecycle_stage: after, observed_at: 200, swept: false }),
    );
  });

  it('keeps a pending sweep', () => {
    expect(merge(stored({ swept: false }), [listed({ name: 'fraud' })])?.swept).toBe(false);
    expect(merge(stored({ swept: false }), [])?.swept).toBe(false);
  });

  it('marks a missing experiment as not listed, and keeps its facts', () => {
    expect(merge(stored(), [])).toEqual(stored({ listed: false, observed_at: 200 }));
    const gone = stored({ listed: false });
    expect(merge(gone, [], 300)).toBe(gone);
  });

  it('marks an experiment that reappears as listed', () => {
    expect(merge(stored({ listed: false }), [listed()])).toEqual(stored({ observed_at: 200 }));
  });

  it('ignores a listing older than the stored observation', () => {
    const known = stored({ observed_at: 201 });
    expect(merge(known, [listed({ lifecycle_stage: 'deleted' })])).toBe(known);
    expect(merge(known, [])).toBe(known);
  });

  it('accepts a listing of the same second', () => {
    expect(merge(stored({ observed_at: 200 }), [listed({ name: 'fraud' })])?.name).toBe('fraud');
    expect(merge(stored({ observed_at: 200 }), [])?.listed).toBe(false);
  });

  it('does not change other experiments', () => {
    const listing = [listed({ name: 'fraud' }), listed({ experiment_id: '2' })];
    const merged = finish(mergeListing({ 1: stored(), 2: stored() }, listing, 200));
    expect([merged[1]?.name, merged[2]]).toEqual(['fraud', stored()]);
  });
});

describe('mergeExperiments', () => {
  it('writes only if something changed', async () => {
    const store = new MemoryStore();
    await mergeExperiments(store, [listed()], 100);
    expect(await mergeExperiments(store, [listed()], 200)).toEqual({ 1: stored() });
    expect(store.puts).toBe(1);
    expect(await readExperiments(store)).toEqual({ 1: stored() });
  });
});
