import fc from 'fast-check';
import { quarantine } from '../../../src/enrichment/quarantine.js';
import type { Column, DuckSession } from '../../../src/storage/duck.js';
import { partitionKey } from '../../../src/storage/keys.js';
import { Actor, chooseFrom } from '../../support/interleaving.js';
import { MemoryStore } from '../../support/memory-store.js';
import { SteppedStore } from '../../support/stepped-store.js';

const NOON = Date.parse('2026-03-10T12:00:00Z');
const KEY = partitionKey('quarantine', '2026-03-10');

let files = 0;

/** A session whose slice has these bad records, and whose files are the reasons of `quarantined` as JSON. */
function sessionOf(store: MemoryStore, bad: readonly { run_id: string; reason: string }[]): DuckSession {
  let quarantined: Readonly<Record<string, Column>> = {};
  const session: Pick<DuckSession, 'tempFile' | 'createTable'> & object = {
    tempFile: (name) => `/nowhere/${files++}-${name}`,
    createTable: async (_, columns) => {
      quarantined = columns;
    },
  };
  return Object.assign(session, {
    rows: async (_: string, parameters?: object) =>
      parameters ? [] : bad.map((each) => ({ ...each, record: each.reason, observed: NOON })),
    run: async (_: string, { file }: { file: string }) => {
      const reasons = [...(quarantined.reason?.values ?? [])].sort();
      store.files.set(file, Buffer.from(JSON.stringify(reasons)));
    },
  }) as unknown as DuckSession;
}

/** Two slices quarantine a run each, with their steps in the order that the numbers choose. @returns what is published */
async function play(numbers: readonly number[]): Promise<unknown> {
  const choose = chooseFrom(numbers);
  const shared = new MemoryStore();
  const slices = ['first', 'second'].map(
    (reason) =>
      new Actor(async (step) => {
        const store = new SteppedStore(shared, step);
        await quarantine(
          sessionOf(store, [{ run_id: reason, reason }]),
          store,
          'delta-1',
          [],
          async () => undefined,
        );
      }),
  );
  for (const slice of slices) await slice.ready();
  for (;;) {
    const ready = slices.filter(({ ended }) => !ended);
    if (ready.length === 0) return JSON.parse(String(shared.objects.get(KEY)));
    await ready[choose(ready.length)]?.step();
  }
}

describe('two slices with unreadable runs of the same day', () => {
  it('publish the records of both in any order', async () => {
    const order = fc.array(fc.nat({ max: 1 }), { minLength: 12, maxLength: 24, size: 'max' });
    const published = fc.asyncProperty(order, async (numbers) => {
      expect(await play(numbers)).toEqual(['first', 'second']);
    });
    await fc.assert(published, { numRuns: 200 });
  });
});
