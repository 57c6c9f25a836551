import { type ParsedCatalog, parseCatalog } from '../../../src/enrichment/catalog.js';
import { RulebookKeeper } from '../../../src/enrichment/rulebook-keeper.js';
import { RULEBOOK_KEY, rulebookSchema, rulesOn, updateRulebook } from '../../../src/pipeline/rulebook.js';
import { readDocument, updateDocument } from '../../../src/storage/json-document.js';
import { domainDefaults } from '../../support/defaults.js';
import { MemoryStore } from '../../support/memory-store.js';

const NOW = Date.parse('2026-03-10T15:30:00Z');
const TTL = 300_000;
const catalog = (critical_threshold: number, more: object[] = []): ParsedCatalog =>
  parseCatalog({ thresholds: [{ metric_name: 'accuracy', critical_threshold }, ...more] });

let store: MemoryStore;
let now: number;
let reads: number;
let warnings: string[];
let said: () => ParsedCatalog;
beforeEach(() => {
  store = new MemoryStore();
  now = NOW;
  reads = 0;
  warnings = [];
  said = () => catalog(0.7);
});

const keep = (): RulebookKeeper =>
  new RulebookKeeper({
    store,
    settings: domainDefaults,
    readCatalog: async () => {
      reads++;
      return said();
    },
    ttlMs: TTL,
    reevaluateDays: 7,
    clock: () => now,
    warn: (message) => warnings.push(message),
  });
const limitOn = async (day: string): Promise<number | null | undefined> => {
  const book = await readDocument(store, RULEBOOK_KEY, rulebookSchema);
  return book && rulesOn(book.value, day).thresholds[0]?.critical_threshold;
};
const fail = () => {
  throw new Error('The catalog cannot be read');
};

describe('the keeper of the rulebook', () => {
  it('brings in what the catalog says, and asks again only after its time', async () => {
    const keeper = keep();
    await keeper.refresh();
    expect(await limitOn('2026-01-01')).toBe(0.7);
    now += TTL - 1;
    await keeper.refresh();
    expect(reads).toBe(1);
    now += 1;
    await keeper.refresh();
    expect(reads).toBe(2);
    expect(store.puts).toBe(1);
  });

  it('asks again when the clock has gone back', async () => {
    const keeper = keep();
    await keeper.refresh();
    now -= 24 * 3_600_000;
    await keeper.refresh();
    expect(reads).toBe(2);
  });

  it('asks once for all who want it at the same time', async () => {
    const keeper = keep();
    await Promise.all([keeper.refresh(), keeper.refresh(), keeper.refresh()]);
    expect(reads).toBe(1);
  });

  it.each([
    ['our clock', NOW + 3 * 24 * 3_600_000, '2026-03-03'],
    ['the server’s clock', NOW - 24 * 3_600_000, '2026-03-02'],
  ])(
    'applies a change from 7 days before the earlier of the two clocks on: %s',
    async (_, observed, first) => {
      const keeper = keep();
      await keeper.refresh(observed);
      said = () => catalog(0.9);
      now += TTL;
      await keeper.refresh(observed);
      const before = new Date(Date.parse(first) - 1).toISOString().slice(0, 10);
      expect([await limitOn(before), await limitOn(first)]).toEqual([0.7, 0.9]);
    },
  );

  it('names what the catalog says and cannot be used', async () => {
    said = () => catalog(0.7, [{ metric_name: 'loss', critical_threshold: 'high' }]);
    await keep().refresh();
    expect(warnings).toEqual([expect.stringMatching(/thresholds\[1\] is refused: critical_threshold/)]);
    expect(await limitOn('2026-03-10')).toBe(0.7);
  });

  it('judges on by the stored rules while the catalog is down, and says so', async () => {
    const keeper = keep();
    await keeper.refresh();
    said = fail;
    now += TTL;
    await keeper.refresh();
    expect(warnings).toEqual([expect.stringContaining('judging goes on by the stored rulebook')]);
    expect(await limitOn('2026-03-10')).toBe(0.7);
    // Also a process that has just started.
    await keep().refresh();
  });

  it('fails while the catalog is down and there are no rules: nothing may be published as judged', async () => {
    said = fail;
    const keeper = keep();
    await expect(keeper.refresh()).rejects.toThrow('The catalog cannot be read');
    expect(store.puts).toBe(0);
    said = () => catalog(0.7);
    await keeper.refresh();
    expect(await limitOn('2026-03-10')).toBe(0.7);
  });

  it('reads the catalog again when another process has changed the book meanwhile', async () => {
    await keep().refresh();
    now += TTL;
    said = () => catalog(0.8);
    const other = new MemoryStore();
    await updateDocument(other, RULEBOOK_KEY, rulebookSchema, () => {
      const first = updateRulebook(undefined, catalog(0.7), domainDefaults, '2026-03-03');
      return updateRulebook(first, catalog(0.9), domainDefaults, '2026-03-03');
    });
    store.beforePut = (key) => {
      store.beforePut = () => undefined;
      // What the other process read is newer than what this one holds in its hands.
      store.objects.set(key, other.objects.get(key) ?? Buffer.of());
      said = () => catalog(0.9);
    };
    await keep().refresh();
    expect(await limitOn('2026-03-10')).toBe(0.9);
    expect(reads).toBe(3);
  });
});
