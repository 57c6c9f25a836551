import { createHash } from 'node:crypto';
import {
  changeQuarantine,
  clearQuarantine,
  readQuarantineList,
  readQuarantineOf,
} from '../../../src/state/quarantine-list.js';
import type { QuarantinedRecord } from '../../../src/state/quarantine-records.js';
import { MemoryStore } from '../../support/memory-store.js';

const DAY = 86_400_000;
const NOON = Date.parse('2026-03-10T12:00:00Z');
const OLD_KEY = '_state/quarantine.json';
const TODAY = '2026-03-10';

let store: MemoryStore;
beforeEach(() => {
  store = new MemoryStore();
});

const digestOf = (record: string) => createHash('sha256').update(record).digest('hex');
const recordOf = (run_id: string | null, record = `${run_id}`, observed = NOON): QuarantinedRecord => ({
  run_id,
  reason: 'odd',
  pipeline_run_id: 'delta-1',
  observed,
  record,
});
const byDigest = (records: readonly QuarantinedRecord[]) =>
  Object.fromEntries(records.map((each) => [digestOf(each.record), each]));

/** A slice of this version. @returns the days to publish */
async function slice(unreadable: readonly QuarantinedRecord[], readable: readonly string[] = []) {
  const before: string[][] = [];
  const days = await changeQuarantine(store, {
    unreadable: byDigest(unreadable),
    readable: async (ids) => new Set(ids.filter((id) => readable.includes(id))),
    beforePut: async (all) => {
      before.push([...all]);
    },
  });
  if (days.size > 0) expect(before.at(-1)).toEqual([...days]);
  return [...days].sort();
}

/** What a slice of the version before this one does to the document that it alone had. */
async function oldSlice(unreadable: readonly QuarantinedRecord[], readable: readonly string[] = []) {
  const stored = store.objects.get(OLD_KEY);
  const records: Record<string, QuarantinedRecord> = stored ? JSON.parse(String(stored)).records : {};
  for (const [digest, { run_id }] of Object.entries(records)) {
    if (run_id !== null && readable.includes(run_id)) delete records[digest];
  }
  for (const [digest, record] of Object.entries(byDigest(unreadable))) records[digest] ??= record;
  await store.put(OLD_KEY, Buffer.from(JSON.stringify({ version: 1, records })));
}

/** The ids of the runs that the dataset of a day has. */
const published = async (day = TODAY): Promise<unknown[] | undefined> => {
  const records = (await readQuarantineOf(store, day))?.records;
  return (
    records &&
    Object.values(records)
      .map(({ run_id }) => run_id)
      .sort()
  );
};

describe('the quarantine', () => {
  it('has a record once, on the day of its first observation, until its run can be read', async () => {
    expect(await slice([recordOf('a')])).toEqual([TODAY]);
    expect(await slice([recordOf('a', 'a', NOON + DAY)])).toEqual([]);
    expect(await published()).toEqual(['a']);
    expect(await slice([], ['b'])).toEqual([]);
    expect(await slice([], ['a'])).toEqual([TODAY]);
    expect(await published()).toEqual([]);
    // It breaks again.
    expect(await slice([recordOf('a')])).toEqual([TODAY]);
    expect(await published()).toEqual(['a']);
  });

  it('costs two looks per slice while nothing changes, whatever the records contain', async () => {
    await slice([recordOf('a', 'x'.repeat(10_000))]);
    await slice([]);
    let reads = 0;
    const get = store.get.bind(store);
    store.get = (key) => {
      reads++;
      return get(key);
    };
    await slice([recordOf('a', 'x'.repeat(10_000))]);
    expect(reads).toBe(0);
    expect(store.objects.get('_state/quarantine/list.json')?.length).toBeLessThan(300);
  });

  it('is stored nowhere while there are no unreadable records', async () => {
    expect(await slice([], ['a'])).toEqual([]);
    expect(store.objects.size).toBe(0);
  });

  it('cuts long records, and not in the middle of a character', async () => {
    const text = `${'x'.repeat(16_383)}😀${'y'.repeat(100)}`;
    await slice([recordOf('a', text)]);
    const { records } = (await readQuarantineOf(store, TODAY)) ?? {};
    expect(Object.keys(records ?? {})).toEqual([digestOf(text)]);
    expect(records?.[digestOf(text)]?.record).toBe(`${'x'.repeat(16_383)}… (cut: ${text.length} characters)`);
  });

  it('keeps 1,000 records of a day and counts the others once', async () => {
    const many = Array.from({ length: 1_005 }, (_, i) => recordOf(`run ${i}`));
    expect(await slice(many)).toEqual([TODAY]);
    expect(await slice(many)).toEqual([]);
    expect(await published()).toHaveLength(1_000);
    expect((await readQuarantineOf(store, TODAY))?.omitted).toBe(5);
    // The next day has room.
    const [, , , , , last] = many.slice(-6);
    await slice([{ ...recordOf(last?.run_id ?? ''), observed: NOON + DAY }]);
    expect(await published('2026-03-11')).toEqual(['run 1004']);
  });

  it('stops counting at 10,000 further records', async () => {
    await slice(Array.from({ length: 11_500 }, (_, i) => recordOf(`run ${i}`)));
    expect((await readQuarantineOf(store, TODAY))?.omitted).toBe(10_000);
    expect(await slice([recordOf('one more')])).toEqual([]);
  });

  it('forgets after 90 days, and leaves what is published', async () => {
    await slice([recordOf('old'), recordOf('new', 'new', NOON + DAY)]);
    await clearQuarantine(store, NOON + 90 * DAY);
    expect(await published()).toEqual(['old']);
    await clearQuarantine(store, NOON + 91 * DAY);
    expect(await published()).toBeUndefined();
    expect(Object.values(await readQuarantineList(store))).toEqual([{ run_id: 'new', day: '2026-03-11' }]);
    expect(await slice([], ['old'])).toEqual([]);
  });
});

describe('a store of an older version', () => {
  it('keeps every record, however long, and lets them leave', async () => {
    const long = 'z'.repeat(100_000);
    await oldSlice([recordOf('a'), recordOf('b', long), recordOf(null, '{'), recordOf('c', 'c', NOON - DAY)]);
    expect(await slice([])).toEqual(['2026-03-09', TODAY]);
    expect(await published()).toEqual(['a', 'b', null]);
    expect((await readQuarantineOf(store, TODAY))?.records[digestOf(long)]?.record).toBe(long);
    expect(await slice([], ['a', 'c'])).toEqual(['2026-03-09', TODAY]);
    expect([await published(), await published('2026-03-09')]).toEqual([['b', null], []]);
    // A process of the older version must not publish them again.
    expect(String(store.objects.get(OLD_KEY))).not.toMatch(/"a"|"c"/);
  });

  it('loses nothing while both versions run', async () => {
    await slice([recordOf('new 1')]);
    await oldSlice([recordOf('old 1')]);
    // The older version publishes the day without `new 1`, so this one publishes it again.
    expect(await slice([])).toEqual([TODAY]);
    expect(await published()).toEqual(['new 1', 'old 1']);
    expect(await slice([])).toEqual([]);
    await oldSlice([recordOf('old 2')], ['old 1']);
    expect(await slice([recordOf('new 2')])).toEqual([TODAY]);
    expect(await published()).toEqual(['new 1', 'new 2', 'old 2']);
    // Both have seen it, and the older version reads it well.
    await oldSlice([recordOf('new 1')]);
    await slice([]);
    await oldSlice([], ['new 1']);
    expect(await slice([])).toEqual([TODAY]);
    expect(await published()).toEqual(['new 2', 'old 2']);
  });

  it('keeps what was taken over when a person deletes its document', async () => {
    await oldSlice([recordOf('a')]);
    await slice([]);
    store.objects.delete(OLD_KEY);
    expect(await slice([])).toEqual([]);
    expect(await published()).toEqual(['a']);
    expect(await slice([], ['a'])).toEqual([TODAY]);
  });
});

describe('a process that dies at any of its puts', () => {
  it('is made good by the next one with the same records', async () => {
    for (let put = 0, died = true; died; put++) {
      for (const executed of [false, true]) {
        store = new MemoryStore();
        await oldSlice([recordOf('old'), recordOf('gone')]);
        await slice([recordOf('stays'), recordOf('leaves')]);
        let puts = 0;
        const real = store.put.bind(store);
        store.put = async (...parameters) => {
          if (puts > put) throw new Error('killed');
          if (puts++ < put || executed) {
            const etag = await real(...parameters);
            if (puts <= put) return etag;
          }
          throw new Error('killed');
        };
        const dying = slice([recordOf('comes')], ['leaves', 'gone']);
        died = await dying.then(
          () => false,
          () => true,
        );
        store.put = real;
        await slice([recordOf('comes')], ['leaves', 'gone']);
        expect([put, executed, await published()]).toEqual([put, executed, ['comes', 'old', 'stays']]);
      }
    }
  });
});
