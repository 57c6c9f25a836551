import { MonitorError } from '../../../src/domain/errors.js';
import type { ThresholdRow, Window } from '../../../src/domain/model.js';
import type { CatalogSource, ParsedCatalog, RejectedRow } from '../../../src/enrichment/parse-catalog.js';
import { RulebookSync } from '../../../src/enrichment/rulebook-sync.js';
import { readCatalogState } from '../../../src/state/catalog-state.js';
import { type CatalogQuery, RULEBOOK_KEY, type Rulebook, rulesOn } from '../../../src/state/rulebook.js';
import { domainDefaults } from '../../support/defaults.js';
import { MemoryStore } from '../../support/memory-store.js';

const NOW = Date.parse('2026-03-10T12:00:00Z');
const MINUTE = 60_000;
const TTL = 5 * MINUTE;
const away = () => new MonitorError('catalog_unreachable', 'The catalog does not answer', {}, true);
const row = (metric_name: string, critical_threshold: number): ThresholdRow => ({
  metric_name,
  experiment_id: null,
  critical_threshold,
  warning_threshold: null,
  updated_at: null,
  updated_by: null,
});
const named = (...metrics: string[]): CatalogQuery => ({ metrics, experiments: ['1'] });
const limitsOf = (book: Rulebook, day = '2026-03-10') =>
  Object.fromEntries(rulesOn(book, day).thresholds.map((t) => [t.metric_name, t.critical_threshold]));

let now: number;
let store: MemoryStore;
let limits: Record<string, number>;
/** What goes wrong with the next question, and what happens while it is answered. */
let fault: (() => Error | undefined) | undefined;
let refused: RejectedRow[];
let meanwhile: () => void | Promise<void>;
let asked: CatalogQuery[][];
let windows: Window[];
let lines: string[];

beforeEach(() => {
  now = NOW;
  store = new MemoryStore();
  limits = { a: 1, b: 2, c: 3 };
  fault = undefined;
  refused = [];
  meanwhile = () => undefined;
  asked = [];
  windows = [];
  lines = [];
});

const source = (asks: boolean): CatalogSource => ({
  queriedLists: { metrics: asks, thresholds: asks },
  async read(questions): Promise<ParsedCatalog> {
    asked.push([...questions]);
    const names = asks ? new Set(questions.flatMap(({ metrics }) => metrics)) : new Set(Object.keys(limits));
    const thresholds = Object.entries(limits)
      .filter(([name]) => names.has(name))
      .map(([name, critical]) => row(name, critical));
    await meanwhile();
    const error = fault?.();
    if (error) throw error;
    return { metadata: [], thresholds, rejectedRows: refused };
  },
});
const keeper = (asks = true, patienceMs?: number) =>
  new RulebookSync({
    store,
    settings: domainDefaults,
    source: source(asks),
    ttlMs: TTL,
    reevaluateDays: 7,
    clock: () => now,
    reevaluate: async (window) => windows.push(window),
    log: { log: (line) => lines.push(line), warn: (line) => lines.push(line) },
    ...(patienceMs === undefined ? {} : { patienceMs }),
  });

describe('the keeper of the rulebook', () => {
  it('asks for the names of a day once, and for those without rows no second time', async () => {
    const one = keeper();
    expect(limitsOf(await one.rulebookFor(() => named('a', 'none')))).toEqual({ a: 1 });
    await one.rulebookFor(() => named('a', 'none'));
    await one.rulebookFor(() => named('b'));
    expect(asked.filter((questions) => questions.length > 0)).toEqual([[named('a', 'none')], [named('b')]]);
  });

  it('asks for everything again after the TTL', async () => {
    const one = keeper();
    await one.rulebookFor(() => named('a'));
    await one.rulebookFor(() => named('b'));
    asked.length = 0;
    now += TTL - 1;
    await one.refresh();
    expect(asked).toEqual([]);
    now += 1;
    await one.refresh();
    expect(asked).toEqual([[named('a', 'b')]]);
  });

  it('asks again when the clock has gone back', async () => {
    const one = keeper(false);
    await one.refresh();
    now -= 24 * 60 * MINUTE;
    await one.refresh();
    expect(asked).toHaveLength(2);
  });

  it('asks once for all who want it at the same time', async () => {
    const one = keeper(false);
    await Promise.all([one.refresh(), one.refresh(), one.refresh()]);
    expect(asked).toHaveLength(1);
  });

  it.each([
    ['our clock', NOW + 3 * 24 * 60 * MINUTE, '2026-03-03'],
    ['the server’s clock', NOW - 24 * 60 * MINUTE, '2026-03-02'],
  ])(
    'applies a change from 7 days before the earlier of the two clocks on: %s',
    async (_, observed, first) => {
      const one = keeper();
      await one.rulebookFor(() => named('a'), observed);
      limits.a = 9;
      now += TTL;
      const book = await one.rulebookFor(() => named('a'), observed);
      const before = new Date(Date.parse(first) - 1).toISOString().slice(0, 10);
      expect([limitsOf(book, before), limitsOf(book, first)]).toEqual([{ a: 1 }, { a: 9 }]);
    },
  );

  it('names what the catalog says and cannot be used, and counts it', async () => {
    const bad = {
      list: 'thresholds',
      experiment_id: null,
      problem: 'critical_threshold: no number',
    } as const;
    refused = Array.from({ length: 7 }, (_, index) => ({ ...bad, index, metric_name: `bad${index}` }));
    const one = keeper();
    expect(limitsOf(await one.rulebookFor(() => named('a')))).toEqual({ a: 1 });
    expect(lines).toHaveLength(6);
    expect(lines[1]).toBe("The catalog's thresholds[1] (bad1) is refused: critical_threshold: no number");
    expect(lines[5]).toContain('7 items');
    expect((await readCatalogState(store)).refused).toBe(7);
  });

  it('changes nothing in a book of newer rules, and says so where that is not enough', async () => {
    await keeper().rulebookFor(() => named('a'));
    const book: Rulebook = JSON.parse(store.objects.get(RULEBOOK_KEY)?.toString() ?? '');
    const [first] = book.settings;
    if (first) first.settings = { ...first.settings, rules_version: first.settings.rules_version + 1 };
    const newer = Buffer.from(JSON.stringify(book));
    store.objects.set(RULEBOOK_KEY, newer);
    const one = keeper();
    limits.a = 9;
    expect(limitsOf(await one.rulebookFor(() => named('a')))).toEqual({ a: 1 });
    await expect(one.rulebookFor(() => named('b'))).rejects.toMatchObject({ code: 'older_rules' });
    expect(store.objects.get(RULEBOOK_KEY)).toBe(newer);
  });

  it('asks the catalog for one thing at a time', async () => {
    const one = keeper();
    let running = 0;
    let most = 0;
    meanwhile = async () => {
      most = Math.max(most, ++running);
      await new Promise(setImmediate);
      running--;
    };
    const days = ['a', 'a', 'b', 'c', 'c'].map((name) => one.rulebookFor(() => named(name)));
    for (const book of await Promise.all(days)) expect(book.asked.metrics.length).toBeGreaterThan(0);
    expect(most).toBe(1);
    expect(asked.filter((questions) => questions.length > 0)).toHaveLength(3);
  });

  it('asks again after a lost race, for its answer may be older than that of the winner', async () => {
    const winner = keeper(false);
    const loser = keeper(false);
    await winner.refresh();
    now += TTL;
    // The loser has read `a: 1` when the winner reads `a: 5` and stores it.
    meanwhile = async () => {
      meanwhile = () => undefined;
      limits = { ...limits, a: 5 };
      await winner.refresh();
    };
    await loser.refresh();
    const book: Rulebook = JSON.parse(store.objects.get(RULEBOOK_KEY)?.toString() ?? '');
    expect(limitsOf(book)).toMatchObject({ a: 5 });
    expect(book.entries.filter(({ metric_name }) => metric_name === 'a')).toHaveLength(2);
  });

  it('has the days judged again to which a change applies', async () => {
    const one = keeper(false);
    await one.refresh();
    expect(windows).toEqual([]);
    limits = { ...limits, a: 9 };
    now += TTL;
    await one.refresh(NOW - 24 * 60 * MINUTE);
    expect(windows).toEqual([{ from: Date.parse('2026-03-02'), to: Number.MAX_SAFE_INTEGER }]);
    limits = { ...limits, d: 4 };
    now += TTL;
    await one.refresh();
    expect(windows[1]).toEqual({ from: 0, to: Number.MAX_SAFE_INTEGER });
  });
});

describe('an outage of the catalog', () => {
  it('judges by the stored rulebook, says so, and asks again soon', async () => {
    const one = keeper();
    await one.rulebookFor(() => named('a'));
    now += TTL;
    fault = away;
    for (let minute = 0; minute < 40; minute++) {
      now += MINUTE;
      expect(limitsOf(await one.rulebookFor(() => named('a')))).toEqual({ a: 1 });
    }
    expect(lines).toEqual(['The catalog does not answer; judging goes on by the stored rulebook']);
    expect(await readCatalogState(store)).toEqual({
      version: 1,
      last_success: NOW,
      last_error: {
        at: now,
        code: 'catalog_unreachable',
        message: 'The catalog does not answer',
        status: null,
      },
      awaited: false,
      refused: 0,
    });
    fault = undefined;
    limits.a = 7;
    now += MINUTE;
    expect(limitsOf(await one.rulebookFor(() => named('a')))).toEqual({ a: 7 });
    expect(lines.at(-1)).toBe('The catalog answers again');
    expect((await readCatalogState(store)).last_error).toBeNull();
  });

  it('has a day wait that holds a name for which the catalog was never asked', async () => {
    const one = keeper();
    await one.rulebookFor(() => named('a'));
    fault = away;
    await expect(one.rulebookFor(() => named('a', 'b'))).rejects.toMatchObject({
      code: 'catalog_awaited',
      retryable: true,
    });
    expect(limitsOf(await one.rulebookFor(() => named('a')))).toEqual({ a: 1 });
    expect(await readCatalogState(store)).toMatchObject({ last_success: NOW, awaited: true });
    fault = undefined;
    expect(limitsOf(await one.rulebookFor(() => named('a', 'b')))).toEqual({ a: 1, b: 2 });
    expect(await readCatalogState(store)).toMatchObject({ last_error: null, awaited: false });
  });

  it('keeps why it began while the catalog is left alone', async () => {
    const one = keeper();
    await one.rulebookFor(() => named('a'));
    const busy = (code: string, status?: number) => () =>
      new MonitorError(code, code, status === undefined ? {} : { status }, true);
    for (const next of [busy('catalog_busy', 503), busy('catalog_away'), busy('catalog_refused', 401)]) {
      now += TTL;
      fault = next;
      await one.refresh();
      const { last_error } = await readCatalogState(store);
      lines.push(`${last_error?.code} ${last_error?.status}`);
    }
    expect(lines.slice(1)).toEqual(['catalog_busy 503', 'catalog_busy 503', 'catalog_refused 401']);
  });

  it('does not hold up a day that can be judged while the catalog is silent', async () => {
    const one = keeper(true, 0);
    await one.rulebookFor(() => named('a'));
    now += TTL;
    let answer: () => void = () => undefined;
    meanwhile = () => new Promise((resolve) => (answer = resolve));
    limits.a = 7;
    expect(limitsOf(await one.rulebookFor(() => named('a')))).toEqual({ a: 1 });
    answer();
    await one.refresh();
    expect(limitsOf(await one.rulebookFor(() => named('a')))).toEqual({ a: 7 });
  });

  it('refuses to judge by nothing: a file that cannot be read and no stored rulebook', async () => {
    fault = () => new MonitorError('catalog_unreadable', 'The catalog x cannot be read', {}, true);
    await expect(keeper(false).rulebookFor(() => named('a'))).rejects.toMatchObject({
      code: 'catalog_unreadable',
    });
  });

  it('does not take an error of the store for one of the catalog', async () => {
    fault = () => new MonitorError('store_unreachable', 'The store is away', {}, true);
    const one = keeper();
    await expect(one.rulebookFor(() => named('a'))).rejects.toMatchObject({ code: 'store_unreachable' });
  });
});
