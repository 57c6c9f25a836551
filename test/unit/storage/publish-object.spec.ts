import { PreconditionFailedError } from '../../../src/storage/errors.js';
import { publishObject, type StoredFile, type WriteFile } from '../../../src/storage/publish.js';
import { Actor, forEverySequence } from '../../support/interleaving.js';
import { MemoryStore } from '../../support/memory-store.js';
import { eventsDuring } from '../../support/recorded-events.js';
import { SteppedStore } from '../../support/stepped-store.js';

const KEY = '_base/2026/03/10/part-0.parquet';
const LIST = '_state/list.json';

let files = 0;
const tempFiles = { tempFile: (name: string) => `/nowhere/${files++}-${name}` };

type Prepare = (stored: StoredFile | undefined) => Promise<WriteFile | undefined>;
type Publish = (store: MemoryStore, prepare: Prepare) => Promise<unknown>;

const publish: Publish = (store, prepare) => publishObject(store, tempFiles, KEY, prepare, 'base_contended');

/** Mutant: the condition of the put is the ETag after the new content was prepared. */
const etagReadLast: Publish = async (store, prepare) => {
  for (let lost = true; lost; ) {
    const write = await prepare(await store.fetch(KEY));
    if (!write) return;
    const file = tempFiles.tempFile(KEY);
    await write(file);
    const newest = await store.head(KEY);
    lost = await store.put(KEY, { file }, newest ? { ifMatch: newest.etag } : { ifNoneMatch: '*' }).then(
      () => false,
      (error: unknown) => error instanceof PreconditionFailedError,
    );
  }
};

/** Mutant: the content is prepared once, before the ETag is read. */
const preparedOnce: Publish = async (store, prepare) => {
  const write = await prepare(undefined);
  await publish(store, async () => write);
};

const rowsOf = (body: Buffer | undefined): string[] => (body ? JSON.parse(String(body)) : []);
const writeRows = (store: MemoryStore, rows: readonly string[]): WriteFile => {
  return async (file) => void store.files.set(file, Buffer.from(JSON.stringify([...rows].sort())));
};

/** Adds a row to the object's rows, as the base and the threshold changes do. */
const addRow = (rule: Publish, store: MemoryStore, row: string) =>
  rule(store, async (stored) => {
    const rows = rowsOf(stored && store.files.get(stored.file));
    return rows.includes(row) ? undefined : writeRows(store, [...rows, row]);
  });

/** Adds an item to a stored list and publishes the whole list, as the quarantine does. */
async function addItem(rule: Publish, store: SteppedStore, shared: MemoryStore, item: string): Promise<void> {
  await store.head(LIST);
  shared.objects.set(LIST, Buffer.from(JSON.stringify([...rowsOf(shared.objects.get(LIST)), item])));
  await rule(store, async () => writeRows(store, rowsOf((await store.get(LIST))?.body)));
}

/** Lets two writers take turns in every order. @returns the rows of the object after each order, and the puts of each */
async function playWriters(
  write: (store: SteppedStore, shared: MemoryStore, writer: number) => Promise<unknown>,
): Promise<{ rows: string[]; puts: number }[]> {
  const outcomes: { rows: string[]; puts: number }[] = [];
  await forEverySequence(async (choose) => {
    const shared = new MemoryStore();
    const stores: SteppedStore[] = [];
    const writers = [0, 1].map(
      (writer) =>
        new Actor(async (step) => {
          const store = new SteppedStore(shared, step);
          stores.push(store);
          await write(store, shared, writer);
        }),
    );
    for (const writer of writers) await writer.ready();
    for (;;) {
      const ready = writers.filter(({ ended }) => !ended);
      if (ready.length === 0) break;
      await ready[choose(ready.length)]?.step();
    }
    const puts = stores.reduce((sum, store) => sum + store.puts, 0);
    outcomes.push({ rows: rowsOf(shared.objects.get(KEY)), puts });
  });
  return outcomes;
}

describe('two writers that change rows of the same object', () => {
  it('lose no row in any order', async () => {
    const outcomes = await playWriters((store, _, writer) => addRow(publish, store, `row ${writer}`));
    expect(outcomes.length).toBeGreaterThanOrEqual(6);
    for (const { rows } of outcomes) expect(rows).toEqual(['row 0', 'row 1']);
  });

  it('write once if the winner has stored the same row', async () => {
    const outcomes = await playWriters((store) => addRow(publish, store, 'row'));
    for (const outcome of outcomes) expect(outcome).toEqual({ rows: ['row'], puts: 1 });
  });

  it('lose a row in some order if the ETag is read after the content was prepared', async () => {
    const outcomes = await playWriters((store, _, writer) => addRow(etagReadLast, store, `row ${writer}`));
    expect(outcomes.some(({ rows }) => rows.length < 2)).toBe(true);
  });
});

describe('two writers that publish a stored list', () => {
  it('publish the whole list in every order', async () => {
    const outcomes = await playWriters((store, shared, n) => addItem(publish, store, shared, `item ${n}`));
    for (const { rows } of outcomes) expect(rows).toEqual(['item 0', 'item 1']);
  });

  it('publish an older list in some order if the list is read before the ETag', async () => {
    const outcomes = await playWriters((store, shared, n) =>
      addItem(preparedOnce, store, shared, `item ${n}`),
    );
    expect(outcomes.some(({ rows }) => rows.length < 2)).toBe(true);
  });
});

describe('publishObject', () => {
  it('gives up after 20 lost races with a retryable error', async () => {
    const store = new MemoryStore();
    let others = 0;
    store.beforePut = (key) => store.objects.set(key, Buffer.from(JSON.stringify([`other ${others++}`])));
    let added: Promise<unknown> = Promise.resolve();
    const events = await eventsDuring(() => {
      added = addRow(publish, store, 'row');
      return added;
    });
    await expect(added).rejects.toMatchObject({
      code: 'base_contended',
      retryable: true,
      message: `Other writers changed ${KEY} in each of 20 attempts`,
    });
    expect(events).toEqual(Array(20).fill({ type: 'store_conflict', object: 'dataset' }));
  });

  it('throws other errors of the put at once', async () => {
    const store = new MemoryStore();
    let puts = 0;
    store.beforePut = () => {
      puts++;
      throw new Error('no space left');
    };
    await expect(addRow(publish, store, 'row')).rejects.toThrow('no space left');
    expect(puts).toBe(1);
  });
});
