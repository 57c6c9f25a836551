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
  mergeListing(known ? { 1: known } : {}, listing, date)[1];

describe('a listing', () => {
  it('brings in what is new; its days hold nothing that would have to be swept', () => {
    expect(merge(undefined, [listed()])).toEqual(stored({ observed_at: 200 }));
    expect(merge(undefined, [listed({ lifecycle_stage: 'deleted' })])?.swept).toBe(true);
  });

  it('that says nothing new leaves the very same object', () => {
    const known = stored();
    expect(merge(known, [listed()])).toBe(known);
  });

  it.each([
    ['name', listed({ name: 'fraud' }), { name: 'fraud' }],
    ['tags', listed({ tags: { team: 'b' } }), { tags: { team: 'b' } }],
    ['more tags', listed({ tags: { team: 'a', x: '' } }), { tags: { team: 'a', x: '' } }],
    ['fewer tags', listed({ tags: {} }), { tags: {} }],
  ])('with another %s is taken over, and asks for no sweep', (_, listing, change) => {
    expect(merge(stored(), [listing])).toEqual(stored({ ...change, observed_at: 200 }));
  });

  it.each([
    ['active', 'deleted'],
    ['deleted', 'active'],
  ] as const)('that turns %s into %s asks for a sweep', (before, after) => {
    expect(merge(stored({ lifecycle_stage: before }), [listed({ lifecycle_stage: after })])).toEqual(
      stored({ lifecycle_stage: after, observed_at: 200, swept: false }),
    );
  });

  it('leaves a sweep that is still to be done', () => {
    expect(merge(stored({ swept: false }), [listed({ name: 'fraud' })])?.swept).toBe(false);
    expect(merge(stored({ swept: false }), [])?.swept).toBe(false);
  });

  it('without an experiment says that it is no longer listed, and drops nothing of it', () => {
    expect(merge(stored(), [])).toEqual(stored({ listed: false, observed_at: 200 }));
    const gone = stored({ listed: false });
    expect(merge(gone, [], 300)).toBe(gone);
  });

  it('shows a hidden experiment again', () => {
    expect(merge(stored({ listed: false }), [listed()])).toEqual(stored({ observed_at: 200 }));
  });

  it('that is older than what is known changes nothing', () => {
    const known = stored({ observed_at: 201 });
    expect(merge(known, [listed({ lifecycle_stage: 'deleted' })])).toBe(known);
    expect(merge(known, [])).toBe(known);
  });

  it('of the same second as what is known counts', () => {
    expect(merge(stored({ observed_at: 200 }), [listed({ name: 'fraud' })])?.name).toBe('fraud');
    expect(merge(stored({ observed_at: 200 }), [])?.listed).toBe(false);
  });

  it('leaves the other experiments alone', () => {
    const merged = mergeListing(
      { 1: stored(), 2: stored() },
      [listed({ name: 'fraud' }), listed({ experiment_id: '2' })],
      200,
    );
    expect([merged[1]?.name, merged[2]]).toEqual(['fraud', stored()]);
  });
});

describe('the stored experiments', () => {
  it('are merged in the store, and written only where something is new', async () => {
    const store = new MemoryStore();
    await mergeExperiments(store, [listed()], 100);
    expect(await mergeExperiments(store, [listed()], 200)).toEqual({ 1: stored() });
    expect(store.puts).toBe(1);
    expect(await readExperiments(store)).toEqual({ 1: stored() });
  });
});
