import { dependentDays, rebuildDays, selectDaysToRebuild } from '../../../src/aggregation/rebuild-days.js';
import { addDays } from '../../../src/domain/time.js';
import { judgeDays, selectDaysToJudge } from '../../../src/enrichment/judge-days.js';
import { advanceFirstDays } from '../../../src/state/retention.js';
import { EMPTY_QUERY, type Rulebook } from '../../../src/state/rulebook.js';
import { baseKey, DERIVED_DATASETS, partitionKey } from '../../../src/storage/keys.js';
import { latestOf } from '../../../src/storage/latest-objects.js';
import { indexOf } from '../../../src/storage/object-index.js';
import { CountingStore } from '../../support/counting-store.js';
import { domainDefaults } from '../../support/defaults.js';
import { fakeDuck, fakeFile } from '../../support/fake-duck.js';
import { MemoryStore } from '../../support/memory-store.js';

const LAST = '2026-03-10';
const days = Array.from({ length: 365 }, (_, i) => addDays(LAST, -i));
const book = (settings: Partial<typeof domainDefaults> = {}): Rulebook => ({
  version: 1,
  asked: EMPTY_QUERY,
  entries: [],
  settings: [{ first_day: null, settings: { ...domainDefaults, ...settings } }],
});

let memory: MemoryStore;
/** A store whose days are published and indexed, by the first pass. */
const published = new Map<string, Buffer>();
let first: Awaited<ReturnType<ReturnType<typeof processOf>['pass']>>;

beforeAll(async () => {
  memory = new MemoryStore(published);
  for (const day of days) await memory.put(baseKey(day), fakeFile({ content: `facts of ${day}` }));
  await memory.put('_state/kinds/reevaluation.json', Buffer.from('{}'));
  await setRules();
  first = await processOf().pass();
  // The fake files are not Parquet, so that publishing them names none for readers. The scheduler does so hourly.
  await latestOf(memory).repair();
});
beforeEach(() => {
  memory = new MemoryStore(new Map(published));
});

const setRules = (settings: Partial<typeof domainDefaults> = {}) =>
  memory.put('_state/rulebook.json', Buffer.from(JSON.stringify(book(settings))));

const ignore = () => undefined;

/** A process that looks at days, as the stages of a reevaluation do. */
function processOf(rules = book(), whenRulesAreRead: () => Promise<unknown> = async () => undefined) {
  const store = new CountingStore(memory);
  const duck = fakeDuck(memory, ['accuracy', 'loss']);
  const source = {
    rulebookFor: async () => {
      await whenRulesAreRead();
      return rules;
    },
  };
  return {
    store,
    /** @returns `selected`: the days that had jobs of their own */
    async pass(passDays = days) {
      const counts = { written: 0, unchanged: 0 };
      const toJudge = await selectDaysToJudge(store, duck, source, passDays, false, ignore);
      counts.unchanged += toJudge.partitions_unchanged;
      for (const unit of toJudge.units) {
        const judged = await judgeDays(store, duck, source, [unit], ignore);
        counts.written += judged.written;
        counts.unchanged += judged.unchanged;
      }
      const toRebuild = await selectDaysToRebuild(store, duck, dependentDays(passDays), ignore);
      counts.unchanged += toRebuild.partitions_unchanged;
      for (const unit of toRebuild.units) {
        const rebuilt = await rebuildDays(store, duck, [unit], ignore);
        counts.written += rebuilt.partitions_written;
        counts.unchanged += rebuilt.partitions_unchanged;
      }
      await indexOf(store).save();
      const requests = [...store.requests];
      const selected = { judge: toJudge.units, rebuild: toRebuild.units };
      return { ...counts, ...store.take(), requests, selected };
    },
  };
}

it('a day and the 7 days after it depend on its facts', () => {
  const expected = Array.from({ length: 8 }, (_, i) => addDays('2026-03-08', -i));
  expect(dependentDays(['2026-03-01'])).toEqual(expected);
});

describe('a pass over 365 days', () => {
  it('downloads nothing and puts nothing if nothing changed, whatever a process has seen before', async () => {
    const { pass } = processOf();
    const next = await pass();
    expect(first.unchanged).toBe(0);
    expect(next).toMatchObject({ written: 0, unchanged: first.written, fetch: 0, put: 0 });
    expect(next.selected).toEqual({ judge: [], rebuild: [] });
    // The first pass of a process reads the documents of 13 months.
    expect(next.requests.length).toBeLessThanOrEqual(60);
    const again = await pass();
    expect(again).toMatchObject({ written: 0, unchanged: first.written, fetch: 0, put: 0 });
    expect(again.requests.length).toBeLessThanOrEqual(40);
  });

  it('reads the objects of a lost month once, and writes its index anew', async () => {
    await memory.delete('_state/index/2025-12.json');
    const next = await processOf().pass();
    expect(next).toMatchObject({ written: 0, unchanged: first.written, put: 1 });
    // The base and the derived objects of a month.
    expect(next.fetch).toBeGreaterThanOrEqual(31 * 6);
    expect(next.fetch).toBeLessThan(31 * 8);
    expect(await processOf().pass()).toMatchObject({ fetch: 0, put: 0 });
  });

  it('judges a changed day again, and what depends on it', async () => {
    await memory.put(baseKey('2025-12-05'), fakeFile({ content: 'new facts' }));
    const { put, written } = await processOf().pass();
    // The day itself, the aggregates of 8 days, and the documents of the index.
    expect(put).toBeGreaterThan(written);
    expect(written).toBeGreaterThanOrEqual(2 + 8 * 3);
    expect(written).toBeLessThan(40);
    expect((await processOf().pass()).written).toBe(0);
  });

  it('publishes no object of a day before the first one of its dataset', async () => {
    const old = addDays(LAST, -20);
    const keys = [partitionKey('application_summary', old), partitionKey('runs', old)];
    for (const key of keys) await memory.delete(key);
    await advanceFirstDays(memory, { application_summary: addDays(old, 8), runs: addDays(old, 1) });
    expect(await processOf().pass()).toMatchObject({ written: 0, selected: { judge: [], rebuild: [] } });
    // Days whose look back is not kept stay as they are.
    for (const key of keys) expect(await memory.head(key)).toBeUndefined();
  });

  it('publishes no aggregate before the first day of its dataset while its inputs are kept', async () => {
    const old = addDays(LAST, -20);
    const key = partitionKey('application_summary', old);
    await memory.delete(key);
    await advanceFirstDays(memory, { application_summary: addDays(old, 1) });
    expect(await processOf().pass()).toMatchObject({ written: 0, selected: { judge: [], rebuild: [] } });
    expect(await memory.head(key)).toBeUndefined();
  });

  it('looks at derived objects, then at their inputs, then at the rules', async () => {
    const { requests } = await processOf().pass();
    // The number of parts of each day never changes: when it is read does not matter.
    const isLook = (request: string) => !/\/index|_state\/kinds|partition-files|^put /.test(request);
    const looks = requests.filter(isLook);
    expect(looks.slice(0, 6)).toEqual([
      'list _sums/',
      'list runs/',
      'list enriched_metrics/',
      'list _base/',
      'get _state/retention.json',
      'get _state/experiments.json',
    ]);
    const aggregated = looks.indexOf('list metric_timeseries/');
    expect(looks.slice(aggregated, aggregated + 8)).toEqual([
      'list metric_timeseries/',
      'list application_summary/',
      'list platform_summary/',
      'list _tails/',
      'list runs/',
      'list enriched_metrics/',
      'list _sums/',
      'get _state/rulebook.json',
    ]);
  });

  it('judges the newest facts if another process replaces them after they were looked at', async () => {
    await memory.put(baseKey(LAST), fakeFile({ content: 'new facts' }));
    let isReplaced = false;
    const replace = async () => {
      if (isReplaced) return;
      isReplaced = true;
      await memory.put(baseKey(LAST), fakeFile({ content: 'newer facts' }));
    };
    expect((await processOf(book(), replace).pass()).written).toBeGreaterThan(0);
    expect(isReplaced).toBe(true);
    expect((await processOf().pass()).written).toBe(0);
  });

  it('judges all of them again by other rules', async () => {
    await setRules({ pass_rate_percent: 1 });
    const rules = book({ pass_rate_percent: 1 });
    expect((await processOf(rules).pass()).written).toBe(first.written);
    expect((await processOf(rules).pass()).written).toBe(0);
  });

  it('replaces an object that names other inputs, whatever the index said of the object before', async () => {
    const key = partitionKey('runs', LAST);
    await memory.put(key, fakeFile({ inputs: 'other' }));
    expect((await processOf().pass()).written).toBeGreaterThan(0);
    expect(memory.objects.get(key)?.toString()).not.toContain('other');
  });
});

describe('a delta of two days', () => {
  const twoDays = [LAST, addDays(LAST, -1)];

  it('lists only their months, and downloads nothing if nothing changed', async () => {
    const { requests, ...counts } = await processOf().pass(twoDays);
    expect(counts).toMatchObject({ written: 0, fetch: 0, put: 0 });
    const lists = requests.filter((request) => request.startsWith('list ') && !request.includes('_state'));
    expect(lists.length).toBeGreaterThan(0);
    expect(lists.filter((request) => !/2026\/0[23]\/$/.test(request))).toEqual([]);
  });

  it('sends the same requests with a tenth of the history', async () => {
    const { requests } = await processOf().pass(twoDays);
    for (const day of days.slice(36)) {
      for (const dataset of ['_base', ...DERIVED_DATASETS] as const)
        memory.objects.delete(partitionKey(dataset, day));
    }
    expect((await processOf().pass(twoDays)).requests).toEqual(requests);
  });
});
