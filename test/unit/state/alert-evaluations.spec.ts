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
  expect(history.map(({ sequence, changes }) => [sequence, changes])).toEqual([
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

test('An evaluation that is not one is an error that names it', async () => {
  const store = new MemoryStore();
  await store.put(evaluationKey(1), Buffer.from('{"version":2}'));
  await expect(new AlertChain(store).newest()).rejects.toThrow(evaluationKey(1));
});
