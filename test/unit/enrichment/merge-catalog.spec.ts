import type { MetricMetadata, ThresholdRow } from '../../../src/domain/model.js';
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
});
const ask = (metrics: string[], experiments: string[] = []): CatalogQuery => ({ metrics, experiments });

interface Heard {
  readonly metadata?: MetricMetadata[];
  readonly thresholds?: ThresholdRow[];
  readonly refused?: ParsedCatalog['rejectedRows'];
}
const HTTP = { metrics: true, thresholds: true };
const FILES = { metrics: false, thresholds: false };
/** A conversation with the catalog: each step asks what is wanted and hears an answer, a day later than the one before. */
class Conversation {
  book: Rulebook | undefined;
  day = 10;

  constructor(private readonly asks = HTTP) {}

  hears(wanted: CatalogQuery, { metadata = [], thresholds = [], refused = [] }: Heard, again = false): this {
    const at = Date.parse(`2026-03-${this.day++}T12:00:00Z`);
    this.book = mergeCatalogResponse(
      this.book,
      {
        parsed: { metadata, thresholds, rejectedRows: refused },
        queries: queriesFor(this.book?.asked ?? EMPTY_QUERY, wanted, again),
        again,
        asks: this.asks,
      },
      domainDefaults,
      { at, from: new Date(at - 7 * 86_400_000).toISOString().slice(0, 10) },
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

describe('what a catalog is asked', () => {
  it('asks only for what was never asked, each metric with each experiment', () => {
    const asked = ask(['a', 'b'], ['1']);
    expect(queriesFor(asked, ask(['b', 'c'], ['1']), false)).toEqual([ask(['c'], ['1'])]);
    expect(queriesFor(asked, ask(['a'], ['2']), false)).toEqual([ask(['a', 'b'], ['2'])]);
    expect(queriesFor(asked, ask(['c'], ['2']), false)).toEqual([
      ask(['c'], ['1', '2']),
      ask(['a', 'b'], ['2']),
    ]);
    expect(queriesFor(asked, ask(['a'], ['1']), false)).toEqual([]);
  });

  it('asks for everything again when the answers are too old', () => {
    expect(queriesFor(ask(['a'], ['1']), ask(['b'], ['2']), true)).toEqual([ask(['a', 'b'], ['1', '2'])]);
    expect(queriesFor(EMPTY_QUERY, EMPTY_QUERY, true)).toEqual([]);
  });

  it('knows what was answered, and needs nothing for a day without metrics', () => {
    expect(covers(ask(['a'], ['1']), ask(['a'], ['1']))).toBe(true);
    expect(covers(ask(['a'], ['1']), ask(['b'], ['1']))).toBe(false);
    expect(covers(ask(['a'], ['1']), ask(['a'], ['2']))).toBe(false);
    expect(covers(EMPTY_QUERY, ask([], ['2']))).toBe(true);
  });
});

describe('the rulebook after an answer', () => {
  it('keeps what was not asked', () => {
    const talk = new Conversation().hears(ask(['a'], ['1']), { thresholds: [row('a', 1)] });
    talk.hears(ask(['b'], ['1']), { thresholds: [row('b', 2)] });
    expect(talk.limits(LONG_AGO)).toEqual({ 'a/': 1, 'b/': 2 });
    expect(talk.changes).toEqual([]);
    expect(talk.book?.asked).toEqual(ask(['a', 'b'], ['1']));
  });

  it('does not take rows that were not asked for', () => {
    const talk = new Conversation().hears(ask(['a'], ['1']), {
      thresholds: [row('a', 1), row('b', 2), row('a', 3, { experiment_id: '9' }), row('z*', 4)],
      metadata: [about('b')],
    });
    expect(talk.limits(LATER)).toEqual({ 'a/': 1 });
    expect(talk.book?.entries.map(({ metric_name }) => metric_name)).toEqual(['a']);
  });

  it('applies a change from its day less 7 on, and lets a name leave that is asked and not answered', () => {
    const talk = new Conversation().hears(ask(['a', 'b'], ['1']), { thresholds: [row('a', 1), row('b', 2)] });
    talk.hears(EMPTY_QUERY, { thresholds: [row('a', 5)] }, true);
    expect(talk.limits('2026-03-03')).toEqual({ 'a/': 1, 'b/': 2 });
    expect(talk.limits('2026-03-04')).toEqual({ 'a/': 5 });
    expect(talk.changes).toEqual([
      ['a', '2026-03-04'],
      ['b', '2026-03-04'],
    ]);
  });

  it('takes the rows of an experiment that is asked for the first time as rules of all days', () => {
    const talk = new Conversation().hears(ask(['a'], ['1']), { thresholds: [row('a', 1)] });
    talk.hears(EMPTY_QUERY, { thresholds: [row('a', 2)] }, true);
    talk.hears(ask(['a'], ['9']), { thresholds: [row('a', 2), row('a', 7, { experiment_id: '9' })] });
    expect(talk.limits(LONG_AGO)).toEqual({ 'a/': 1, 'a/9': 7 });
    expect(talk.limits(LATER)).toEqual({ 'a/': 2, 'a/9': 7 });
    expect(talk.changes).toHaveLength(1);
  });

  it('remembers that a name has no rows; rows that it gets later are a change, of all days', () => {
    const talk = new Conversation().hears(ask(['a'], ['1']), {});
    expect(talk.book?.asked.metrics).toEqual(['a']);
    talk.hears(EMPTY_QUERY, { thresholds: [row('a', 3)] }, true);
    expect(talk.limits(LONG_AGO)).toEqual({ 'a/': 3 });
    expect(talk.changes).toEqual([['a', null]]);
  });

  it('lets a pattern leave only when all names were asked', () => {
    const talk = new Conversation().hears(ask(['a_ms'], ['1']), { thresholds: [row('*_ms', 1)] });
    talk.hears(ask(['b_ms'], ['1']), { thresholds: [row('b_ms', 2)] });
    expect(talk.limits(LATER)).toEqual({ '*_ms/': 1, 'b_ms/': 2 });
    talk.hears(EMPTY_QUERY, { thresholds: [row('b_ms', 2)] }, true);
    expect(talk.limits(LATER)).toEqual({ 'b_ms/': 2 });
  });

  it('says nothing changed when the same rows come in another order', () => {
    const rows = [row('a', 1), row('a', 2, { experiment_id: '1' }), row('a', 3, { experiment_id: '2' })];
    const talk = new Conversation().hears(ask(['a'], ['1', '2']), { thresholds: rows });
    const before = talk.book;
    talk.hears(EMPTY_QUERY, { thresholds: [...rows].reverse() }, true);
    expect(talk.book).toEqual(before);
  });

  it('keeps the row that is known where the catalog sends one that cannot be used', () => {
    const talk = new Conversation(FILES).hears(EMPTY_QUERY, {
      thresholds: [row('a', 1), row('a', 2, { experiment_id: '1' })],
    });
    const refused = {
      list: 'thresholds',
      index: 0,
      metric_name: 'a',
      experiment_id: '1',
      problem: 'no number',
    } as const;
    talk.hears(EMPTY_QUERY, { thresholds: [row('a', 5)], refused: [refused] }, true);
    expect(talk.limits(LATER)).toEqual({ 'a/': 5, 'a/1': 2 });
  });

  it('takes a file as all there is', () => {
    const talk = new Conversation(FILES).hears(EMPTY_QUERY, { thresholds: [row('a', 1), row('b', 2)] });
    talk.hears(EMPTY_QUERY, { thresholds: [row('b', 2), row('c', 3)] });
    expect(talk.limits(LATER)).toEqual({ 'b/': 2, 'c/': 3 });
    expect(talk.limits(LONG_AGO)).toEqual({ 'a/': 1, 'b/': 2, 'c/': 3 });
    expect(talk.book?.asked).toEqual(EMPTY_QUERY);
  });

  it('mixes a file of metadata with thresholds that are asked for', () => {
    const talk = new Conversation({ metrics: false, thresholds: true });
    talk.hears(EMPTY_QUERY, { metadata: [about('a', false)] }, true);
    talk.hears(ask(['a'], ['1']), { metadata: [about('a', false)], thresholds: [row('a', 4)] });
    expect(talk.limits(LONG_AGO)).toEqual({ 'a/': 4 });
    expect(talk.changes).toEqual([]);
  });
});
