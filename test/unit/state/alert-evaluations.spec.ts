import { jest } from '@jest/globals';
import { type AlertEvaluation } from '../../../src/domain/alerts/incident.js';
import { AlertChain, evaluationKey } from '../../../src/state/alerts/evaluations.js';
import { MemoryStore } from '../../support/memory-store.js';
import { Evaluations, signal } from '../domain/alerts/signals.js';

const DAY = 86_400_000;

/** Evaluations of deltas, the last ones quiet. */
function evaluationsOf(count: number): readonly AlertEvaluation[] {
  const evaluations = Evaluations.quiet();
  evaluations.next([signal('violated')]);
  for (let i = 2; i < count; i++) evaluations.next([signal('violated')]);
  return evaluations.all;
}

async function sealed(store: MemoryStore, all: readonly AlertEvaluation[]): Promise<AlertChain> {
  const chain = new AlertChain(store);
  for (const each of all) expect(await chain.seal(each)).toBe(true);
  return chain;
}

test('A store without evaluations has no newest one', async () => {
  expect(await new AlertChain(new MemoryStore()).newest()).toBeNull();
});

test('Another process sees the newest evaluation as it was sealed, and later ones', async () => {
  const store = new MemoryStore();
  const [first, second, third] = evaluationsOf(3);
  if (!first || !second || !third) throw new Error('three evaluations');
  const chain = await sealed(store, [first, second]);
  const other = new AlertChain(store);
  expect(await other.newest()).toEqual({ version: 1, ...second });
  await chain.seal(third);
  expect(await other.newest()).toEqual({ version: 1, ...third });
});

test('Of two processes that seal the same sequence, one wins and the other changes nothing', async () => {
  const store = new MemoryStore();
  const [first, second] = evaluationsOf(2);
  if (!first || !second) throw new Error('two evaluations');
  const chain = await sealed(store, [first]);
  const other = new AlertChain(store);
  const outcomes = [await chain.seal(second), await other.seal({ ...second, transitions: [] })];
  expect(outcomes).toEqual([true, false]);
  expect(await other.newest()).toEqual({ version: 1, ...second });
});

test('Evaluations are read in order, also after 9', async () => {
  const chain = await sealed(new MemoryStore(), evaluationsOf(12));
  const read: number[] = [];
  for await (const { sequence } of chain.after(3)) read.push(sequence);
  expect(read).toEqual([4, 5, 6, 7, 8, 9, 10, 11, 12]);
});

test('Evaluations without transitions are kept for 2 days, others for 35, and the newest one always', async () => {
  const store = new MemoryStore();
  const all = evaluationsOf(4);
  const chain = await sealed(store, all);
  const last = Date.parse(all.at(-1)?.to ?? '');
  await chain.prune(last + DAY);
  expect(await chain.sequences()).toEqual([1, 2, 3, 4]);
  await chain.prune(last + 3 * DAY);
  expect(await chain.sequences()).toEqual([2, 4]);
  await chain.prune(last + 36 * DAY);
  expect(await chain.sequences()).toEqual([4]);
  expect(await new AlertChain(store).newest()).toMatchObject({ sequence: 4 });
});

test('The history says what each evaluation changed, also to another process, and reads each one once', async () => {
  const store = new MemoryStore();
  const chain = await sealed(store, evaluationsOf(3));
  const other = new AlertChain(store);
  const history = await other.history();
  expect(history).toEqual(await chain.history());
  const changed = history.map(({ sequence, changes }) => [
    sequence,
    changes.map(({ change, incident: { rule } }) => ({ rule, change })),
  ]);
  expect(changed).toEqual([
    [1, []],
    [2, [{ rule: 'critical_runs', change: 'fired' }]],
    [3, []],
  ]);
  const get = jest.spyOn(store, 'get');
  await other.history();
  expect(get).not.toHaveBeenCalled();
  await store.delete(evaluationKey(2));
  expect((await other.history()).map(({ sequence }) => sequence)).toEqual([1, 3]);
});

describe('A damaged evaluation', () => {
  const damage = (store: MemoryStore, sequence: number) =>
    store.put(evaluationKey(sequence), Buffer.from('{"version":1,"sequ'));

  test.each([
    ['in the middle', 2, 4],
    ['at the end', 4, 4],
  ])('%s is named and counts as one that changed nothing', async (_, sequence, newest) => {
    const store = new MemoryStore();
    await sealed(store, evaluationsOf(4));
    await damage(store, sequence);
    const chain = new AlertChain(store);
    expect(await chain.newest()).toMatchObject({ sequence: newest, incidents: [{ rule: 'critical_runs' }] });
    const read: number[] = [];
    for await (const each of chain.after(0)) read.push(each.sequence);
    expect(read).toEqual([1, 2, 3, 4].filter((each) => each !== sequence));
    expect((await chain.history()).map((each) => each.sequence)).toEqual(read);
    expect(chain.damaged).toEqual([evaluationKey(sequence)]);
  });

  test('at the end does not stop the chain, also behind a gap', async () => {
    const store = new MemoryStore();
    const all = evaluationsOf(5);
    const [, , , , fifth] = all;
    await sealed(store, all.slice(0, 4));
    await store.delete(evaluationKey(3));
    await damage(store, 4);
    const chain = new AlertChain(store);
    expect(await chain.newest()).toMatchObject({ sequence: 4, transitions: [] });
    if (!fifth) throw new Error('five evaluations');
    expect(await chain.seal(fifth)).toBe(true);
    expect(await new AlertChain(store).newest()).toEqual({ version: 1, ...fifth });
  });

  test('that is the only one leaves a chain that begins anew after it', async () => {
    const store = new MemoryStore();
    await damage(store, 1);
    expect(await new AlertChain(store).newest()).toMatchObject({ sequence: 1, incidents: [] });
  });

  test('is deleted with those of its time', async () => {
    const store = new MemoryStore();
    const all = evaluationsOf(4);
    const chain = await sealed(store, all);
    await damage(store, 2);
    const other = new AlertChain(store);
    const last = Date.parse(all.at(-1)?.to ?? '');
    await other.prune(last + 3 * DAY);
    expect(await chain.sequences()).toEqual([2, 4]);
    await other.prune(last + 36 * DAY);
    expect(await chain.sequences()).toEqual([4]);
  });
});
