import type { MetricMetadata, ThresholdRow } from '../../../src/domain/model.js';
import { finish } from '../../../src/domain/steps.js';
import { covers, mergeCatalogResponse, queriesFor } from '../../../src/enrichment/merge-catalog.js';
import type { ParsedCatalog } from '../../../src/enrichment/parse-catalog.js';
import { type CatalogQuery, EMPTY_QUERY, type Rulebook, rulesOn } from '../../../src/state/rulebook.js';
import { domainDefaults } from '../../support/defaults.js';

const row = (metric_name: string, critical: number, rest: Partial<ThresholdRow> = {}): ThresholdRow => ({
  metric_name,
  experiment_id: null,
  critical_threshold: critical,
  warning_threshold: null,
  updated_at: null,
  updated_by: null,
  ...rest,
});
const about = (metric_name: string, higher_is_better = true): MetricMetadata => ({
  metric_name,
  display_name: null,
  description: null,
  unit: null,
  category: null,
  higher_is_better,
  min: null,
  max: null,
});
const query = (metrics: string[], experiments: string[] = []): CatalogQuery => ({ metrics, experiments });

interface Returned {
  readonly metadata?: MetricMetadata[];
  readonly thresholds?: ThresholdRow[];
  readonly rejectedRows?: ParsedCatalog['rejectedRows'];
}
const HTTP = { metrics: true, thresholds: true };
const FILES = { metrics: false, thresholds: false };
/** A rulebook and the catalog's responses, each a day after the one before. */
class CatalogHistory {
  book: Rulebook | undefined;
  day = 10;

  constructor(private readonly queriedLists = HTTP) {}

  receive(
    wanted: CatalogQuery,
    { metadata = [], thresholds = [], rejectedRows = [] }: Returned,
    repeated = false,
  ): this {
    const at = Date.parse(`2026-03-${this.day++}T12:00:00Z`);
    this.book = finish(
      mergeCatalogResponse(
        this.book,
        {
          parsed: { metadata, thresholds, rejectedRows },
          queries: queriesFor(this.book?.asked ?? EMPTY_QUERY, wanted, repeated),
          repeated,
          queriedLists: this.queriedLists,
        },
        domainDefaults,
        { at, from: new Date(at - 7 * 86_400_000).toISOString().slice(0, 10) },
      ),
    );
    return this;
  }

  /** Critical limits on a day, by name and experiment. */
  limits(day: string): Record<string, number | null> {
    if (!this.book) return {};
    const { thresholds } = rulesOn(this.book, day);
    return Object.fromEntries(
      thresholds.map((t) => [`${t.metric_name}/${t.experiment_id ?? ''}`, t.critical_threshold]),
    );
  }

  get changes(): [string, string | null][] {
    return (this.book?.entries ?? [])
      .filter(({ changed_at }) => changed_at !== null)
      .map(({ metric_name, first_day }) => [metric_name, first_day]);
  }
}
const LONG_AGO = '2020-01-01';
const LATER = '2026-12-31';

describe('queriesFor and covers', () => {
  it('query only what was never queried, each metric with each experiment', () => {
    const queried = query(['a', 'b'], ['1']);
    expect(queriesFor(queried, query(['b', 'c'], ['1']), false)).toEqual([query(['c'], ['1'])]);
    expect(queriesFor(queried, query(['a'], ['2']), false)).toEqual([query(['a', 'b'], ['2'])]);
    expect(queriesFor(queried, query(['c'], ['2']), false)).toEqual([
      query(['c'], ['1', '2']),
      query(['a', 'b'], ['2']),
    ]);
    expect(queriesFor(queried, query(['a'], ['1']), false)).toEqual([]);
  });

  it('repeat all queries when responses have expired', () => {
    expect(queriesFor(query(['a'], ['1']), query(['b'], ['2']), true)).toEqual([
      query(['a', 'b'], ['1', '2']),
    ]);
    expect(queriesFor(EMPTY_QUERY, EMPTY_QUERY, true)).toEqual([]);
  });

  it('know what was queried, and need nothing for a day without metrics', () => {
    expect(covers(query(['a'], ['1']), query(['a'], ['1']))).toBe(true);
    expect(covers(query(['a'], ['1']), query(['b'], ['1']))).toBe(false);
    expect(covers(query(['a'], ['1']), query(['a'], ['2']))).toBe(false);
    expect(covers(EMPTY_QUERY, query([], ['2']))).toBe(true);
  });
});

describe('mergeCatalogResponse', () => {
  it('keeps rows that were not queried', () => {
    const catalog = new CatalogHistory().receive(query(['a'], ['1']), { thresholds: [row('a', 1)] });
    catalog.receive(query(['b'], ['1']), { thresholds: [row('b', 2)] });
    expect(catalog.limits(LONG_AGO)).toEqual({ 'a/': 1, 'b/': 2 });
    expect(catalog.changes).toEqual([]);
    expect(catalog.book?.asked).toEqual(query(['a', 'b'], ['1']));
  });

  it('ignores rows that were not queried', () => {
    const catalog = new CatalogHistory().receive(query(['a'], ['1']), {
      thresholds: [row('a', 1), row('b', 2), row('a', 3, { experiment_id: '9' }), row('z*', 4)],
      metadata: [about('b')],
    });
    expect(catalog.limits(LATER)).toEqual({ 'a/': 1 });
    expect(catalog.book?.entries.map(({ metric_name }) => metric_name)).toEqual(['a']);
  });

  it('applies a change from 7 days before its day, and removes a name that was queried and not returned', () => {
    const catalog = new CatalogHistory().receive(query(['a', 'b'], ['1']), {
      thresholds: [row('a', 1), row('b', 2)],
    });
    catalog.receive(EMPTY_QUERY, { thresholds: [row('a', 5)] }, true);
    expect(catalog.limits('2026-03-03')).toEqual({ 'a/': 1, 'b/': 2 });
    expect(catalog.limits('2026-03-04')).toEqual({ 'a/': 5 });
    expect(catalog.changes).toEqual([
      ['a', '2026-03-04'],
      ['b', '2026-03-04'],
    ]);
  });

  it('applies the rows of an experiment that is queried for the first time to all days', () => {
    const catalog = new CatalogHistory().receive(query(['a'], ['1']), { thresholds: [row('a', 1)] });
    catalog.receive(EMPTY_QUERY, { thresholds: [row('a', 2)] }, true);
    catalog.receive(query(['a'], ['9']), { thresholds: [row('a', 2), row('a', 7, { experiment_id: '9' })] });
    expect(catalog.limits(LONG_AGO)).toEqual({ 'a/': 1, 'a/9': 7 });
    expect(catalog.limits(LATER)).toEqual({ 'a/': 2, 'a/9': 7 });
    expect(catalog.changes).toHaveLength(1);
  });

  it('remembers that a name has no rows; rows that it gets later are a change that applies to all days', () => {
    const catalog = new CatalogHistory().receive(query(['a'], ['1']), {});
    expect(catalog.book?.asked.metrics).toEqual(['a']);
    catalog.receive(EMPTY_QUERY, { thresholds: [row('a', 3)] }, true);
    expect(catalog.limits(LONG_AGO)).toEqual({ 'a/': 3 });
    expect(catalog.changes).toEqual([['a', null]]);
  });

  it('removes a pattern only when all names were queried', () => {
    const catalog = new CatalogHistory().receive(query(['a_ms'], ['1']), { thresholds: [row('*_ms', 1)] });
    catalog.receive(query(['b_ms'], ['1']), { thresholds: [row('b_ms', 2)] });
    expect(catalog.limits(LATER)).toEqual({ '*_ms/': 1, 'b_ms/': 2 });
    catalog.receive(EMPTY_QUERY, { thresholds: [row('b_ms', 2)] }, true);
    expect(catalog.limits(LATER)).toEqual({ 'b_ms/': 2 });
  });

  it('keeps a pattern that matches no name that is queried', () => {
    const catalog = new CatalogHistory().receive(query(['a', 'b_ms'], ['1']), {
      thresholds: [row('a', 1), row('*_ms', 2)],
    });
    if (!catalog.book) throw new Error('no book');
    // As after the last day with `b_ms` was deleted.
    catalog.book = { ...catalog.book, asked: query(['a'], ['1']) };
    catalog.receive(EMPTY_QUERY, { thresholds: [row('a', 1)] }, true);
    expect(catalog.changes).toEqual([]);
    expect(catalog.limits(LATER)).toEqual({ 'a/': 1, '*_ms/': 2 });
  });

  it('does not depend on the order of the rows', () => {
    const rows = [row('a', 1), row('a', 2, { experiment_id: '1' }), row('a', 3, { experiment_id: '2' })];
    const catalog = new CatalogHistory().receive(query(['a'], ['1', '2']), { thresholds: rows });
    const before = catalog.book;
    catalog.receive(EMPTY_QUERY, { thresholds: [...rows].reverse() }, true);
    expect(catalog.book).toEqual(before);
  });

  it('keeps the stored row if the catalog sends an invalid one', () => {
    const catalog = new CatalogHistory(FILES).receive(EMPTY_QUERY, {
      thresholds: [row('a', 1), row('a', 2, { experiment_id: '1' })],
    });
    const rejected = {
      list: 'thresholds',
      index: 0,
      metric_name: 'a',
      experiment_id: '1',
      problem: 'no number',
    } as const;
    catalog.receive(EMPTY_QUERY, { thresholds: [row('a', 5)], rejectedRows: [rejected] }, true);
    expect(catalog.limits(LATER)).toEqual({ 'a/': 5, 'a/1': 2 });
  });

  it('treats a file as the whole catalog', () => {
    const catalog = new CatalogHistory(FILES).receive(EMPTY_QUERY, {
      thresholds: [row('a', 1), row('b', 2)],
    });
    catalog.receive(EMPTY_QUERY, { thresholds: [row('b', 2), row('c', 3)] });
    expect(catalog.limits(LATER)).toEqual({ 'b/': 2, 'c/': 3 });
    expect(catalog.limits(LONG_AGO)).toEqual({ 'a/': 1, 'b/': 2, 'c/': 3 });
    expect(catalog.book?.asked).toEqual(EMPTY_QUERY);
  });

  it('combines a file of metadata with thresholds that are queried', () => {
    const catalog = new CatalogHistory({ metrics: false, thresholds: true });
    catalog.receive(EMPTY_QUERY, { metadata: [about('a', false)] }, true);
    catalog.receive(query(['a'], ['1']), { metadata: [about('a', false)], thresholds: [row('a', 4)] });
    expect(catalog.limits(LONG_AGO)).toEqual({ 'a/': 4 });
    expect(catalog.changes).toEqual([]);
  });
});

it('a response about many names may be interrupted at every row', () => {
  const metadata = Array.from({ length: 2_000 }, (_, i) => ({
    metric_name: `metric_${i}`,
    display_name: null,
    description: null,
    unit: null,
    category: null,
    higher_is_better: true,
    min: null,
    max: null,
  }));
  const response = {
    parsed: { metadata, thresholds: [], rejectedRows: [] },
    queries: [{ metrics: metadata.map(({ metric_name }) => metric_name), experiments: [] }],
    repeated: false,
    queriedLists: HTTP,
  };
  const change = { at: 0, from: '1970-01-01' };
  expect(
    [...mergeCatalogResponse(undefined, response, domainDefaults, change)].length,
  ).toBeGreaterThanOrEqual(4_000);
});
