import { Logger } from '@nestjs/common';
import fc from 'fast-check';
import {
  type DayPairs,
  decodeIndex,
  encodeIndex,
  indexKey,
  indexSchema,
} from '../../../src/storage/index-document.js';
import { ObjectIndex } from '../../../src/storage/object-index.js';
import { CountingStore } from '../../support/counting-store.js';
import { MemoryStore } from '../../support/memory-store.js';

const RUNS = { key: 'runs/2026/03/10/part-0.parquet', etag: 'a' };
const BASE = { key: '_base/2026/03/10/part-0.parquet', etag: 'b' };
const KEY = indexKey('2026-03');
const base = (pairs: DayPairs, content = 'content') => ({ base: { content, pairs } });

let memory: MemoryStore;
let store: CountingStore;
beforeEach(() => {
  Logger.overrideLogger(false);
  memory = new MemoryStore();
  store = new CountingStore(memory);
});

/** Another process, which has loaded what is stored about these objects. */
async function loaded(...entries: (typeof RUNS)[]): Promise<ObjectIndex> {
  const index = new ObjectIndex(store);
  await index.load(entries);
  return index;
}
async function saved(learn: (index: ObjectIndex) => void): Promise<void> {
  const index = new ObjectIndex(store);
  learn(index);
  await index.save();
}

describe('the index of objects', () => {
  it('is known to the next process, for the ETags that it names', async () => {
    const facts = base([
      ['1', ['accuracy', '\ufeffloss']],
      ['__proto__', []],
    ]);
    await saved((index) => {
      index.learn(RUNS, { inputs: 'x' });
      index.learn(BASE, facts);
    });
    const index = await loaded(RUNS, BASE);
    expect(index.find(RUNS)).toEqual({ inputs: 'x' });
    expect(index.find(BASE)).toEqual(facts);
    expect(index.find({ ...RUNS, etag: 'other' })).toBeUndefined();
  });

  it('knows the digest of tails, and that they have one is unknown if an older version has written the document', async () => {
    const tails = { key: '_tails/2026/03/10/part-0.parquet', etag: 'c' };
    await saved((index) => index.learn(tails, { inputs: 'x', tail: 'y' }));
    expect((await loaded(tails)).find(tails)).toEqual({ inputs: 'x', tail: 'y' });
    const document = JSON.parse(String(memory.objects.get(KEY)));
    delete document.derived[tails.key].tail;
    memory.objects.set(KEY, Buffer.from(JSON.stringify(document)));
    expect((await loaded(tails)).find(tails)).toEqual({ inputs: 'x' });
  });

  it('knows the objects of a month after one read, and reads it again only when it has changed', async () => {
    await saved((index) => {
      index.learn(RUNS, { inputs: 'x' });
      index.learn(BASE, base([]));
    });
    const index = await loaded(RUNS);
    store.take();
    await index.load([BASE]);
    expect(store.requests).toEqual([]);
    await index.load([{ ...RUNS, etag: 'new' }]);
    await index.load([{ ...RUNS, etag: 'new' }]);
    expect(store.take()).toMatchObject({ head: 2, get: 0 });
    await saved((other) => other.learn({ ...RUNS, etag: 'new' }, { inputs: 'y' }));
    await index.load([{ ...RUNS, etag: 'new' }]);
    expect(index.find({ ...RUNS, etag: 'new' })).toEqual({ inputs: 'y' });
  });

  it('puts one document per month, and none if nothing was learned', async () => {
    const index = new ObjectIndex(store);
    for (let day = 10; day < 30; day++) {
      index.learn({ key: `runs/2026/03/${day}/part-0.parquet`, etag: 'a' }, { inputs: 'x' });
      index.learn({ key: `runs/2026/04/${day}/part-0.parquet`, etag: 'a' }, { inputs: 'x' });
    }
    await index.save();
    await index.save();
    expect(store.take()).toMatchObject({ put: 2 });
    await (await loaded(RUNS)).save();
    expect(store.take()).toMatchObject({ put: 0 });
  });

  it('keeps what other processes have stored', async () => {
    await saved((index) => index.learn(BASE, base([])));
    await saved((index) => index.learn(RUNS, { inputs: 'x' }));
    const index = await loaded(RUNS, BASE);
    expect([index.find(RUNS), index.find(BASE)]).toEqual([{ inputs: 'x' }, base([])]);
  });

  it.each(['{', '{"version":2}', '[]', ''])(
    'that is damaged (%s) knows nothing and is written anew',
    async (text) => {
      await memory.put(KEY, Buffer.from(text));
      const index = await loaded(RUNS);
      expect(index.find(RUNS)).toBeUndefined();
      index.learn(RUNS, { inputs: 'x' });
      await index.save();
      expect((await loaded(RUNS)).find(RUNS)).toEqual({ inputs: 'x' });
    },
  );

  it('that cannot be saved is no error, and is saved later', async () => {
    const index = new ObjectIndex(store);
    index.learn(RUNS, { inputs: 'x' });
    memory.beforePut = () => {
      throw new Error('unreachable');
    };
    await index.save();
    memory.beforePut = () => undefined;
    await index.save();
    expect((await loaded(RUNS)).find(RUNS)).toEqual({ inputs: 'x' });
  });

  it('does not remember a day with very many names, and writes small documents', async () => {
    const names = (day: number, count: number) =>
      Array.from({ length: count }, (_, i) => `metric_${day}_${i}`);
    const many = { ...BASE, etag: 'many' };
    await saved((index) => {
      index.learn(many, base([['1', names(0, 100_000)]]));
      for (let day = 10; day < 30; day++) {
        const key = `_base/2026/03/${day}/part-0.parquet`;
        index.learn({ key, etag: 'b' }, base([['1', names(day, 6_000)]]));
      }
    });
    expect((await loaded(many)).find(many)).toBeUndefined();
    const size = memory.objects.get(KEY)?.length ?? 0;
    expect(size).toBeGreaterThan(500_000);
    expect(size).toBeLessThan(1_200_000);
    const newest = { key: '_base/2026/03/29/part-0.parquet', etag: 'b' };
    expect((await loaded(newest)).find(newest)).toBeDefined();
  });
});

it('an index document says of every object what it was made from', () => {
  const pairs = fc.array(fc.tuple(fc.string(), fc.array(fc.string({ unit: 'binary' }))));
  const facts = fc.oneof(
    fc.string().map((inputs) => ({ inputs })),
    fc.tuple(pairs, fc.string()).map(([list, content]) => base(list, content)),
  );
  fc.assert(
    fc.property(fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), facts), (objects) => {
      const known = new Map(Object.entries(objects).map(([key, each]) => [key, { etag: key, facts: each }]));
      const text = JSON.stringify(encodeIndex(known, 'here'));
      const document = indexSchema.parse(JSON.parse(text));
      expect([...decodeIndex(document, 'here')].sort()).toEqual([...known].sort());
      expect(decodeIndex(document, 'elsewhere').size).toBe(0);
    }),
  );
});
