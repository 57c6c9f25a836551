import { MonitorError } from '../../../src/domain/errors.js';
import type { ThresholdRow, Window } from '../../../src/domain/model.js';
import type { CatalogSource, ParsedCatalog, RejectedRow } from '../../../src/enrichment/parse-catalog.js';
import { RulebookSync, type RulebookSyncOptions } from '../../../src/enrichment/rulebook-sync.js';
import { readCatalogState } from '../../../src/state/catalog-state.js';
import { withVersions } from '../../../src/state/raise-versions.js';
import { type CatalogQuery, RULEBOOK_KEY, type Rulebook, rulesOn } from '../../../src/state/rulebook.js';
import { OWN_VERSIONS } from '../../../src/state/versions.js';
import { domainDefaults, onlyProcess } from '../../support/defaults.js';
import { MemoryStore } from '../../support/memory-store.js';
import { reportedErrors } from '../../support/reported-errors.js';

const NOW = Date.parse('2026-03-10T12:00:00Z');
const MINUTE = 60_000;
const TTL = 5 * MINUTE;
const unreachable = () => new MonitorError('catalog_unreachable', 'The catalog does not answer', {}, true);
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
/** The error of the next read, if any; `meanwhile` runs while it is in progress. */
let fault: (() => Error | undefined) | undefined;
let rejectedRows: RejectedRow[];
let meanwhile: () => void | Promise<void>;
let reads: CatalogQuery[][];
let windows: Window[];
let lines: string[];

beforeEach(() => {
  now = NOW;
  store = new MemoryStore();
  limits = { a: 1, b: 2, c: 3 };
  fault = undefined;
  rejectedRows = [];
  meanwhile = () => undefined;
  reads = [];
  windows = [];
  lines = [];
});

const source = (byName: boolean): CatalogSource => ({
  queriedLists: { metrics: byName, thresholds: byName },
  async read(queries): Promise<ParsedCatalog> {
    reads.push([...queries]);
    const names = byName ? new Set(queries.flatMap(({ metrics }) => metrics)) : new Set(Object.keys(limits));
    const thresholds = Object.entries(limits)
      .filter(([name]) => names.has(name))
      .map(([name, critical]) => row(name, critical));
    await meanwhile();
    const error = fault?.();
    if (error) throw error;
    return { metadata: [], thresholds, rejectedRows };
  },
});
const createSync = (
  byName = true,
  maxWaitMs?: number,
  processes: RulebookSyncOptions['processes'] = onlyProcess,
) =>
  new RulebookSync({
    processes,
    store,
    settings: async () => domainDefaults,
    source: source(byName),
    ttlMs: TTL,
    reevaluateDays: async () => 7,
    clock: () => now,
    reevaluate: async (window) => windows.push(window),
    log: { log: (line) => lines.push(line), warn: (line) => lines.push(line) },
    ...(maxWaitMs === undefined ? {} : { maxWaitMs }),
  });

describe('RulebookSync', () => {
  it('queries the names of a day once, even those without rows', async () => {
    const sync = createSync();
    expect(limitsOf(await sync.rulebookFor(() => named('a', 'none')))).toEqual({ a: 1 });
    await sync.rulebookFor(() => named('a', 'none'));
    await sync.rulebookFor(() => named('b'));
    expect(reads.filter((queries) => queries.length > 0)).toEqual([[named('a', 'none')], [named('b')]]);
  });

  it('waits for the first response, however long it takes', async () => {
    let respond: () => void = () => undefined;
    const response = new Promise<void>((resolve) => {
      respond = resolve;
    });
    meanwhile = () => response;
    const judged = createSync(false, 0).rulebookFor(() => named('a'));
    // Beyond the time that a job waits if the store has a rulebook.
    setTimeout(respond, 1);
    expect(limitsOf(await judged)).toMatchObject({ a: 1 });
  });

  it('queries again if the rulebook was deleted', async () => {
    const sync = createSync(false);
    await sync.rulebookFor(() => named('a'));
    store.objects.delete(RULEBOOK_KEY);
    expect(limitsOf(await sync.rulebookFor(() => named('a')))).toMatchObject({ a: 1 });
  });

  it('returns a known rulebook without a request, unless it was never queried for something', async () => {
    const sync = createSync();
    const known = await sync.rulebookFor(() => named('a'));
    limits.a = 9;
    now += TTL;
    reads.length = 0;
    expect(await sync.rulebookFor(() => named('a'), undefined, known)).toBe(known);
    expect(reads).toEqual([]);
    expect(limitsOf(await sync.rulebookFor(() => named('a', 'b'), undefined, known))).toEqual({ a: 9, b: 2 });
  });

  it('repeats all queries after the TTL', async () => {
    const sync = createSync();
    await sync.rulebookFor(() => named('a'));
    await sync.rulebookFor(() => named('b'));
    reads.length = 0;
    now += TTL - 1;
    await sync.refresh();
    expect(reads).toEqual([]);
    now += 1;
    await sync.refresh();
    expect(reads).toEqual([[named('a', 'b')]]);
  });

  it('repeats the read if the clock was set back', async () => {
    const sync = createSync(false);
    await sync.refresh();
    now -= 24 * 60 * MINUTE;
    await sync.refresh();
    expect(reads).toHaveLength(2);
  });

  it('shares one read between concurrent callers', async () => {
    const sync = createSync(false);
    await Promise.all([sync.refresh(), sync.refresh(), sync.refresh()]);
    expect(reads).toHaveLength(1);
  });

  it.each([
    ["this process's clock", NOW + 3 * 24 * 60 * MINUTE, '2026-03-03'],
    ["the server's clock", NOW - 24 * 60 * MINUTE, '2026-03-02'],
  ])('applies a change from 7 days before the earlier of the two clocks: %s', async (_, observed, first) => {
    const sync = createSync();
    await sync.rulebookFor(() => named('a'), observed);
    limits.a = 9;
    now += TTL;
    const book = await sync.rulebookFor(() => named('a'), observed);
    const before = new Date(Date.parse(first) - 1).toISOString().slice(0, 10);
    expect([limitsOf(book, before), limitsOf(book, first)]).toEqual([{ a: 1 }, { a: 9 }]);
  });

  it('logs and counts rejected rows', async () => {
    const bad = {
      list: 'thresholds',
      experiment_id: null,
      problem: 'critical_threshold: no number',
    } as const;
    rejectedRows = Array.from({ length: 7 }, (_, index) => ({ ...bad, index, metric_name: `bad${index}` }));
    const sync = createSync();
    expect(limitsOf(await sync.rulebookFor(() => named('a')))).toEqual({ a: 1 });
    expect(lines).toHaveLength(6);
    expect(lines[1]).toBe('Rejected thresholds[1] of the catalog (bad1): critical_threshold: no number');
    expect(lines[5]).toBe('Rejected 7 rows of the catalog in total');
    expect((await readCatalogState(store)).refused).toBe(7);
  });

  it.each([
    { ...OWN_VERSIONS, rules: OWN_VERSIONS.rules + 1 },
    { ...OWN_VERSIONS, schema: OWN_VERSIONS.schema + 1 },
  ])('does not change a rulebook with newer versions, and gives it to nobody: %o', async (versions) => {
    await createSync().rulebookFor(() => named('a'));
    const book: Rulebook = JSON.parse(store.objects.get(RULEBOOK_KEY)?.toString() ?? '');
    const newer = Buffer.from(JSON.stringify(withVersions(book, versions, NOW)));
    store.objects.set(RULEBOOK_KEY, newer);
    const sync = createSync();
    limits.a = 9;
    await expect(sync.rulebookFor(() => named('a'))).rejects.toMatchObject({ code: 'older_rules' });
    expect(store.objects.get(RULEBOOK_KEY)).toBe(newer);
  });

  it('begins a rulebook with the versions that all processes support', async () => {
    const common = { rules: 2, schema: 3 };
    const supported = { rules: 4, schema: 4 };
    const sync = createSync(true, undefined, { supported, common: async () => common });
    expect((await sync.rulebookFor(() => named('a'))).versions).toMatchObject(common);
  });

  it('sends one request at a time', async () => {
    const sync = createSync();
    let running = 0;
    let most = 0;
    meanwhile = async () => {
      most = Math.max(most, ++running);
      await new Promise(setImmediate);
      running--;
    };
    const days = ['a', 'a', 'b', 'c', 'c'].map((name) => sync.rulebookFor(() => named(name)));
    for (const book of await Promise.all(days)) expect(book.asked.metrics.length).toBeGreaterThan(0);
    expect(most).toBe(1);
    expect(reads.filter((queries) => queries.length > 0)).toHaveLength(3);
  });

  it("repeats the read after a lost race, because its response may be older than the winner's", async () => {
    const winner = createSync(false);
    const loser = createSync(false);
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

  it('starts a reevaluation of the days to which a change applies', async () => {
    const sync = createSync(false);
    await sync.refresh();
    expect(windows).toEqual([]);
    limits = { ...limits, a: 9 };
    now += TTL;
    await sync.refresh(NOW - 24 * 60 * MINUTE);
    expect(windows).toEqual([{ from: Date.parse('2026-03-02'), to: Number.MAX_SAFE_INTEGER }]);
    limits = { ...limits, d: 4 };
    now += TTL;
    await sync.refresh();
    expect(windows[1]).toEqual({ from: 0, to: Number.MAX_SAFE_INTEGER });
  });
});

const reported = reportedErrors();

describe('RulebookSync during an outage of the catalog', () => {
  it('uses the stored rulebook, reports this, and retries soon', async () => {
    const sync = createSync();
    await sync.rulebookFor(() => named('a'));
    now += TTL;
    fault = unreachable;
    for (let minute = 0; minute < 40; minute++) {
      now += MINUTE;
      expect(limitsOf(await sync.rulebookFor(() => named('a')))).toEqual({ a: 1 });
    }
    expect(lines).toEqual([]);
    expect(reported).toEqual(Array(40).fill('The catalog does not answer'));
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
    expect(limitsOf(await sync.rulebookFor(() => named('a')))).toEqual({ a: 7 });
    expect(lines.at(-1)).toBe('The catalog is available again');
    expect((await readCatalogState(store)).last_error).toBeNull();
  });

  it('cannot judge a day with a name that was never queried', async () => {
    const sync = createSync();
    await sync.rulebookFor(() => named('a'));
    fault = unreachable;
    await expect(sync.rulebookFor(() => named('a', 'b'))).rejects.toMatchObject({
      code: 'catalog_awaited',
      retryable: true,
    });
    expect(limitsOf(await sync.rulebookFor(() => named('a')))).toEqual({ a: 1 });
    expect(await readCatalogState(store)).toMatchObject({ last_success: NOW, awaited: true });
    fault = undefined;
    expect(limitsOf(await sync.rulebookFor(() => named('a', 'b')))).toEqual({ a: 1, b: 2 });
    expect(await readCatalogState(store)).toMatchObject({ last_error: null, awaited: false });
  });

  it('keeps the cause of the outage while no request is made', async () => {
    const sync = createSync();
    await sync.rulebookFor(() => named('a'));
    const busy = (code: string, status?: number) => () =>
      new MonitorError(code, code, status === undefined ? {} : { status }, true);
    for (const next of [busy('catalog_busy', 503), busy('catalog_away'), busy('catalog_refused', 401)]) {
      now += TTL;
      fault = next;
      await sync.refresh();
      const { last_error } = await readCatalogState(store);
      lines.push(`${last_error?.code} ${last_error?.status}`);
    }
    expect(lines).toEqual(['catalog_busy 503', 'catalog_busy 503', 'catalog_refused 401']);
  });

  it('does not delay a day that can be judged while the catalog does not respond', async () => {
    const sync = createSync(true, 0);
    await sync.rulebookFor(() => named('a'));
    now += TTL;
    let respond: () => void = () => undefined;
    meanwhile = () => new Promise((resolve) => (respond = resolve));
    limits.a = 7;
    expect(limitsOf(await sync.rulebookFor(() => named('a')))).toEqual({ a: 1 });
    respond();
    await sync.refresh();
    expect(limitsOf(await sync.rulebookFor(() => named('a')))).toEqual({ a: 7 });
  });

  it('fails if the catalog cannot be read and no rulebook is stored', async () => {
    fault = () => new MonitorError('catalog_unreadable', 'The catalog x cannot be read', {}, true);
    await expect(createSync(false).rulebookFor(() => named('a'))).rejects.toMatchObject({
      code: 'catalog_unreadable',
    });
  });

  it('does not treat an error of the store as an outage of the catalog', async () => {
    fault = () => new MonitorError('store_unreachable', 'The store is unreachable', {}, true);
    const sync = createSync();
    await expect(sync.rulebookFor(() => named('a'))).rejects.toMatchObject({ code: 'store_unreachable' });
  });
});
