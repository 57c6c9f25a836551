import type { CatalogSource } from '../../../src/enrichment/parse-catalog.js';
import { RulebookSync } from '../../../src/enrichment/rulebook-sync.js';
import { advanceFirstDays } from '../../../src/state/retention.js';
import { type CatalogQuery, RULEBOOK_KEY, readRulebook, rulesOn } from '../../../src/state/rulebook.js';
import { markChangesPublished } from '../../../src/state/threshold-changes.js';
import { baseKey, DERIVED_DATASETS } from '../../../src/storage/keys.js';
import { indexOf } from '../../../src/storage/object-index.js';
import { domainDefaults, onlyProcess } from '../../support/defaults.js';
import { MemoryStore } from '../../support/memory-store.js';

const TODAY = '2026-03-10';
const DAY = 86_400_000;
const named = (...metrics: string[]): CatalogQuery => ({ metrics, experiments: ['1'] });

let now: number;
let store: MemoryStore;
let limits: Record<string, number>;
let changes: number;
beforeEach(() => {
  changes = 0;
  now = Date.parse(`${TODAY}T12:00:00Z`);
  store = new MemoryStore();
  limits = { a: 1, b: 2, c: 3 };
});

/** A catalog with the platform's limits. */
const source = (byName: boolean): CatalogSource => ({
  queriedLists: { metrics: byName, thresholds: byName },
  async read(queries) {
    const names = new Set(queries.flatMap(({ metrics }) => metrics));
    const thresholds = Object.entries(limits)
      .filter(([name]) => !byName || names.has(name))
      .map(([metric_name, critical_threshold]) => ({
        metric_name,
        experiment_id: null,
        critical_threshold,
        warning_threshold: null,
        updated_at: null,
        updated_by: null,
      }));
    return { metadata: [], thresholds, rejectedRows: [] };
  },
});
const createSync = (byName: boolean, supported = onlyProcess.supported) =>
  new RulebookSync({
    processes: { ...onlyProcess, supported },
    store,
    settings: async () => domainDefaults,
    source: source(byName),
    ttlMs: 60_000,
    reevaluateDays: async () => 7,
    clock: () => now,
    reevaluate: async () => changes++,
    log: { log: () => undefined, warn: () => undefined },
  });

/** Stores a day whose runs have these metrics. @param isKnown whether the index knows it */
async function storeDay(day: string, metrics: string[], isKnown = true): Promise<void> {
  const key = baseKey(day);
  const etag = await store.put(key, Buffer.from(JSON.stringify(metrics)));
  if (isKnown) indexOf(store).learn({ key, etag }, { base: { content: day, pairs: [['1', metrics]] } });
}

async function stored() {
  const book = await readRulebook(store);
  if (!book) throw new Error('no rulebook');
  const { thresholds } = rulesOn(book, TODAY);
  const limitsNow = Object.fromEntries(thresholds.map((t) => [t.metric_name, t.critical_threshold]));
  return { asked: book.asked.metrics, entries: book.entries.length, limits: limitsNow };
}

describe('pruning the rulebook', () => {
  it('forgets the names of deleted days, and queries them as new ones when they return', async () => {
    const sync = createSync(true);
    await sync.rulebookFor(() => named('a', 'b'));
    await storeDay(TODAY, ['a']);
    await sync.prune();
    expect((await stored()).asked).toEqual(['a', 'b']);
    await advanceFirstDays(store, { _base: TODAY });
    await sync.prune();
    expect(await stored()).toMatchObject({ asked: ['a'], limits: { a: 1 } });
    await sync.rulebookFor(() => named('b'));
    expect(await stored()).toMatchObject({ asked: ['a', 'b'], limits: { a: 1, b: 2 } });
    expect(changes).toBe(0);
  });

  it('forgets no name while the index does not know the names of a day', async () => {
    const sync = createSync(true);
    await sync.rulebookFor(() => named('a', 'b'));
    await advanceFirstDays(store, { _base: '2026-03-09' });
    await storeDay('2026-03-09', ['a']);
    await storeDay(TODAY, ['a'], false);
    await sync.prune();
    expect((await stored()).asked).toEqual(['a', 'b']);
  });

  it('removes replaced rows 90 days after their change, once it is reported', async () => {
    const sync = createSync(false);
    await sync.refresh();
    for (const changed of [{ a: 5 }, { b: 6 }] as Record<string, number>[]) {
      now += DAY;
      limits = { ...limits, ...changed };
      await sync.refresh();
    }
    const kept = [...DERIVED_DATASETS, '_base'].map((name) => [name, '2026-04-01']);
    await advanceFirstDays(store, Object.fromEntries(kept));
    now += 89 * DAY;
    await sync.prune();
    expect((await stored()).entries).toBe(5);
    await markChangesPublished(store, { after: 0, through: now });
    now -= DAY;
    await sync.prune();
    expect((await stored()).entries).toBe(5);
    now += DAY;
    await sync.prune();
    // The change of `b` is the newest one.
    expect(await stored()).toMatchObject({ entries: 4, limits: { a: 5, b: 6, c: 3 } });
  });

  it('by a process that is older than the store changes nothing', async () => {
    await createSync(false).refresh();
    const book = await readRulebook(store);
    if (!book) throw new Error('no rulebook');
    await store.put(
      RULEBOOK_KEY,
      Buffer.from(JSON.stringify({ ...book, settings: [...book.settings, ...book.settings] })),
    );
    const settings = async () => (await readRulebook(store))?.settings.length;
    await createSync(false, { rules: 0, schema: 0 }).prune();
    expect(await settings()).toBe(2);
    await createSync(false).prune();
    expect(await settings()).toBe(1);
  });
});
