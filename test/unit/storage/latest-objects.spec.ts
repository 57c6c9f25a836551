import { LATEST_KEY, latestMonthKey } from '../../../src/storage/latest-document.js';
import { LatestObjects, latestOf } from '../../../src/storage/latest-objects.js';
import { publishDerived, type TempFiles } from '../../../src/storage/publish.js';
import { CountingStore } from '../../support/counting-store.js';
import { MemoryStore } from '../../support/memory-store.js';

const JANUARY = 'runs/2026/01/31/part-0.parquet';
const FEBRUARY = 'runs/2026/02/01/part-0.parquet';
const BASE = '_base/2026/01/31/part-0.parquet';

let memory: MemoryStore;
beforeEach(() => {
  memory = new MemoryStore();
});

/** A process that puts objects of as many rows as their text has characters. */
class Writer {
  readonly store: CountingStore;
  readonly latest: LatestObjects;

  constructor() {
    this.store = new CountingStore(memory);
    this.latest = new LatestObjects(this.store);
  }

  async put(key: string, text: string): Promise<void> {
    const before = await memory.head(key);
    const etag = await memory.put(key, Buffer.from(text));
    this.latest.learn({ key, etag, size: text.length, rows: text.length, replaced: before?.etag ?? null });
  }

  /** @returns the requests of `work` that were made with this store */
  async requestsOf(work: () => Promise<unknown>): Promise<string[]> {
    this.store.take();
    await work();
    return this.store.requests.splice(0);
  }
}

const read = async (key: string) => JSON.parse(`${memory.objects.get(key)}`);
const objectsOf = async (month: string) => (await read(latestMonthKey(month))).objects;
/** What a part says about an object that is stored now. */
async function current(key: string, rows: number | null) {
  const { etag, size } = (await memory.head(key)) ?? {};
  return { etag, size, rows };
}

describe('what a process has put', () => {
  it('is named in the part of its month, with a head that has the months', async () => {
    const writer = new Writer();
    await writer.put(JANUARY, 'four');
    await writer.put(FEBRUARY, 'five!');
    await writer.latest.save();
    expect(await objectsOf('2026-01')).toEqual({ [JANUARY]: await current(JANUARY, 4) });
    expect(await objectsOf('2026-02')).toEqual({ [FEBRUARY]: await current(FEBRUARY, 5) });
    expect(await read(LATEST_KEY)).toEqual({ version: 1, watermark: null, months: ['2026-01', '2026-02'] });
  });

  it('is nothing to save for facts and other internal objects', async () => {
    const writer = new Writer();
    await writer.put(BASE, 'facts');
    expect(await writer.requestsOf(() => writer.latest.save())).toEqual([]);
  });

  it('costs a write of the months it changed, and nothing if there is nothing new', async () => {
    const writer = new Writer();
    await writer.put(JANUARY, 'a');
    await writer.put(FEBRUARY, 'a');
    await writer.latest.save();
    await writer.put(FEBRUARY, 'b');
    const part = latestMonthKey('2026-02');
    expect(await writer.requestsOf(() => writer.latest.save())).toEqual([`put ${part}`]);
    expect(await writer.requestsOf(() => writer.latest.save())).toEqual([]);
  });

  it('is written once by jobs of a process that end at the same time', async () => {
    const writer = new Writer();
    await writer.put(JANUARY, 'a');
    await writer.latest.save();
    await writer.put(JANUARY, 'b');
    const requests = await writer.requestsOf(() => Promise.all([writer.latest.save(), writer.latest.save()]));
    expect(requests).toEqual([`put ${latestMonthKey('2026-01')}`]);
  });

  it('is complete when the watermark moves, which rewrites the head alone', async () => {
    const writer = new Writer();
    await writer.put(JANUARY, 'a');
    await writer.latest.setWatermark(Date.parse('2026-02-01T10:00:00Z'));
    expect(await read(LATEST_KEY)).toMatchObject({
      watermark: '2026-02-01T10:00:00.000Z',
      months: ['2026-01'],
    });
    const later = Date.parse('2026-02-01T10:05:00Z');
    const requests = await writer.requestsOf(() => writer.latest.setWatermark(later));
    expect(requests).toEqual([`put ${LATEST_KEY}`]);
  });

  it('has a head even if nothing was published', async () => {
    await new Writer().latest.setWatermark(0);
    expect(await read(LATEST_KEY)).toEqual({ version: 1, watermark: '1970-01-01T00:00:00.000Z', months: [] });
  });
});

describe('two processes that publish the same object', () => {
  let first: Writer;
  let second: Writer;
  beforeEach(async () => {
    [first, second] = [new Writer(), new Writer()];
    await first.put(JANUARY, 'old');
    await first.latest.save();
    await first.put(JANUARY, 'older');
    await second.put(JANUARY, 'newest');
  });

  it.each([
    ['the first one saves last', () => [second, first]],
    ['the second one saves last', () => [first, second]],
    ['both save at once', () => [first, second]],
  ])('name the newest one: %s', async (name, order) => {
    const saves = order().map((writer) => () => writer.latest.save());
    if (name === 'both save at once') await Promise.all(saves.map((save) => save()));
    else for (const save of saves) await save();
    expect(await objectsOf('2026-01')).toEqual({ [JANUARY]: await current(JANUARY, 6) });
  });

  it('leave an entry of an object that existed if one is killed before it saves, and the next who reads the object names it', async () => {
    await first.latest.save();
    const { [JANUARY]: stale } = await objectsOf('2026-01');
    expect(stale).toMatchObject({ size: 'older'.length });
    const entry = await memory.head(JANUARY);
    if (entry) first.latest.learn({ ...entry, rows: null });
    await first.latest.save();
    expect(await objectsOf('2026-01')).toEqual({ [JANUARY]: await current(JANUARY, null) });
  });

  it('are both in a part that one of them has just begun', async () => {
    const march = ['runs/2026/03/01/part-0.parquet', 'runs/2026/03/02/part-0.parquet'] as const;
    await first.put(march[0], 'a');
    await second.put(march[1], 'bb');
    await Promise.all([first.latest.save(), second.latest.save()]);
    const expected = { [march[0]]: await current(march[0], 1), [march[1]]: await current(march[1], 2) };
    expect(await objectsOf('2026-03')).toEqual(expected);
  });
});

describe('a repair', () => {
  it('names all objects of a store that an older release has written, as does the first save', async () => {
    for (const work of ['repair', 'save'] as const) {
      memory = new MemoryStore();
      await memory.put(JANUARY, Buffer.from('a'));
      await memory.put(FEBRUARY, Buffer.from('a'));
      const writer = new Writer();
      await writer.put(FEBRUARY, 'bb');
      await writer.latest[work]();
      expect(await objectsOf('2026-01')).toEqual({ [JANUARY]: await current(JANUARY, null) });
      const rows = work === 'save' ? 2 : null;
      expect(await objectsOf('2026-02')).toEqual({ [FEBRUARY]: await current(FEBRUARY, rows) });
      expect(await read(LATEST_KEY)).toMatchObject({ months: ['2026-01', '2026-02'] });
    }
  });

  it('finds what was put, replaced and deleted behind its back, and keeps the rest', async () => {
    const writer = new Writer();
    const [kept, replaced, deleted, added] = [1, 2, 3, 4].map((day) => `runs/2026/01/0${day}/part-0.parquet`);
    if (!kept || !replaced || !deleted || !added) throw new Error();
    for (const key of [kept, replaced, deleted, FEBRUARY]) await writer.put(key, 'a');
    await writer.latest.save();
    for (const key of [replaced, added]) await memory.put(key, Buffer.from('behind'));
    for (const key of [deleted, FEBRUARY]) await memory.delete(key);
    await writer.latest.repair();
    expect(await objectsOf('2026-01')).toEqual({
      [kept]: await current(kept, 1),
      [replaced]: await current(replaced, null),
      [added]: await current(added, null),
    });
    expect(await read(LATEST_KEY)).toMatchObject({ months: ['2026-01'] });
    expect(memory.objects.has(latestMonthKey('2026-02'))).toBe(false);
  });

  it('writes nothing if nothing is wrong', async () => {
    const writer = new Writer();
    await writer.put(JANUARY, 'a');
    await writer.latest.save();
    const requests = await writer.requestsOf(() => writer.latest.repair());
    expect(requests.filter((request) => request.startsWith('put'))).toEqual([]);
  });

  it('does not undo what another process publishes meanwhile', async () => {
    const writer = new Writer();
    await writer.put(JANUARY, 'a');
    await writer.latest.save();
    await memory.put('runs/2026/01/01/part-0.parquet', Buffer.from('found'));
    const other = new Writer();
    memory.beforePut = (key) => {
      if (key !== latestMonthKey('2026-01')) return;
      memory.beforePut = () => undefined;
      // Published and named between the listing of the repair and its put.
      memory.objects.set(JANUARY, Buffer.from('newer'));
      const part = JSON.parse(`${memory.objects.get(key)}`);
      memory.objects.set(key, Buffer.from(JSON.stringify({ ...part, objects: {} })));
    };
    await other.latest.repair();
    expect(await objectsOf('2026-01')).toMatchObject({ [JANUARY]: { size: 'newer'.length } });
  });

  it.each([LATEST_KEY, latestMonthKey('2026-01')])('replaces the damaged document %s', async (key) => {
    const writer = new Writer();
    await writer.put(JANUARY, 'a');
    await writer.latest.save();
    await memory.put(key, Buffer.from('{'));
    await writer.latest.repair();
    expect(await objectsOf('2026-01')).toMatchObject({ [JANUARY]: { size: 1 } });
    expect(await read(LATEST_KEY)).toMatchObject({ months: ['2026-01'] });
  });
});

it('no longer names objects that are about to be deleted', async () => {
  const writer = new Writer();
  await writer.put(JANUARY, 'a');
  await writer.put(FEBRUARY, 'a');
  await writer.latest.save();
  await writer.latest.remove([JANUARY, BASE]);
  expect(await objectsOf('2026-01')).toEqual({});
  expect(await objectsOf('2026-02')).toHaveProperty([FEBRUARY]);
});

describe('publishing', () => {
  const publication = { recorded: async () => 'inputs', prepare: async () => ({ inputs: 'inputs', write }) };
  const write = async (_key: string, file: string) => {
    memory.files.set(file, Buffer.from('rows'));
  };
  const runsColumns = new Map<string, string>();
  const session: TempFiles = {
    tempFile: (name) => name,
    inspect: async () => ({ rows: 3, size: 4, columns: runsColumns }),
  };

  it('puts no file whose columns are not as described', async () => {
    const wrong = publishDerived(memory, session, [JANUARY], publication);
    await expect(wrong).rejects.toMatchObject({ code: 'wrong_columns', retryable: false });
    expect(memory.objects.size).toBe(0);
  });

  it('names an object that a killed process has put, once its inputs were read', async () => {
    await memory.put(JANUARY, Buffer.from('rows'));
    await publishDerived(memory, session, [JANUARY], publication);
    await latestOf(memory).save();
    expect(await objectsOf('2026-01')).toEqual({ [JANUARY]: await current(JANUARY, null) });
  });
});
