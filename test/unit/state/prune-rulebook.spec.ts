import fc from 'fast-check';
import type { MetricMetadata, ThresholdRow } from '../../../src/domain/model.js';
import { finish } from '../../../src/domain/steps.js';
import { addDays, dayOf } from '../../../src/domain/time.js';
import { firstRuledDay, pruneRulebookSteps, type RuleUse } from '../../../src/state/prune-rulebook.js';
import { latestChangeTime, type Rulebook, rulesOn, updateRulebook } from '../../../src/state/rulebook.js';
import { thresholdChanges } from '../../../src/state/threshold-changes.js';
import { DERIVED_DATASETS } from '../../../src/storage/keys.js';
import { domainDefaults } from '../../support/defaults.js';

const FIRST = '2026-03-01';
const row = (metric_name: string, critical_threshold: number): ThresholdRow => ({
  metric_name,
  experiment_id: null,
  critical_threshold,
  warning_threshold: null,
  updated_at: null,
  updated_by: null,
});
const about = (metric_name: string): MetricMetadata => ({
  metric_name,
  display_name: null,
  description: null,
  unit: null,
  category: null,
  higher_is_better: true,
  min: null,
  max: null,
});
const noonOf = (day: string) => Date.parse(`${day}T12:00:00Z`);

type Limits = Readonly<Record<string, number>>;
interface Response {
  readonly day: string;
  readonly limits: Limits;
  readonly reevaluateDays?: number;
  readonly lightSpanHours?: number;
}
/** The rulebook after these responses of the catalog. */
function bookAfter(...responses: Response[]): Rulebook {
  let book: Rulebook | undefined;
  for (const { day, limits, reevaluateDays = 7, lightSpanHours = 24 } of responses) {
    const thresholds = Object.entries(limits).map(([name, critical]) => row(name, critical));
    const settings = { ...domainDefaults, light_span_hours: lightSpanHours };
    const change = { at: noonOf(day), from: addDays(day, -reevaluateDays) };
    book = updateRulebook(book, { metadata: [], thresholds }, settings, change);
  }
  if (!book) throw new Error('no response');
  return book;
}
const FILE = { metrics: false, thresholds: false };
const HTTP = { metrics: true, thresholds: true };
const prune = (book: Rulebook, use: Partial<RuleUse> = {}): Rulebook =>
  finish(
    pruneRulebookSteps(book, {
      firstDay: undefined,
      stored: undefined,
      queriedLists: FILE,
      settledUntil: Number.MAX_SAFE_INTEGER,
      ...use,
    }),
  );
const limitsIn = (book: Rulebook) =>
  book.entries.map((entry) => [entry.metric_name, entry.thresholds[0]?.critical_threshold ?? null]);
/** A later change of another name, as the newest change always stays. */
const newest = (limits: Limits): Response => ({ day: '2026-12-01', limits: { ...limits, other: 1 } });

describe('an entry', () => {
  const replaced = bookAfter(
    { day: FIRST, limits: { a: 1 } },
    { day: '2026-03-20', limits: { a: 2 } },
    newest({ a: 2 }),
  );

  it('leaves when a later one was made before the first stored day, which then applies to all days', () => {
    const pruned = prune(replaced, { firstDay: '2026-03-21' });
    expect(limitsIn(pruned)).toEqual([
      ['a', 2],
      ['other', 1],
    ]);
    expect(pruned.entries[0]).toMatchObject({ first_day: null, changed_at: null });
    expect(rulesOn(pruned, '2026-03-21')).toEqual(rulesOn(replaced, '2026-03-21'));
    // What is left is reported as no change without what was before it.
    const changes = thresholdChanges(pruned, { after: 0, through: Number.MAX_SAFE_INTEGER });
    expect(changes.map(({ metric_name }) => metric_name)).toEqual(['other']);
  });

  it.each([
    ['a day of its time is stored', { firstDay: '2026-03-20' }],
    ['days are kept for ever', {}],
    ['the change is not reported', { firstDay: '2026-03-21', settledUntil: noonOf('2026-03-20') - 1 }],
  ])('stays while %s', (_, use) => {
    expect(prune(replaced, use)).toBe(replaced);
  });

  it('stays while the change is the newest of all: the time of the next one must be later', () => {
    const book = bookAfter({ day: FIRST, limits: { a: 1 } }, { day: '2026-03-20', limits: { a: 2 } });
    expect(prune(book, { firstDay: '2026-12-01' })).toBe(book);
  });

  it('leaves, also if days are kept for ever, when a later one applies to the same days', () => {
    const book = bookAfter(
      { day: FIRST, limits: { a: 1 } },
      { day: '2026-03-20', limits: { a: 2 } },
      { day: '2026-03-20', limits: { a: 3 } },
      { day: '2026-03-21', limits: { a: 4 } },
      newest({ a: 4 }),
    );
    const pruned = prune(book);
    expect(limitsIn(pruned)).toEqual([
      ['a', 1],
      ['a', 3],
      ['a', 4],
      ['other', 1],
    ]);
    expect(pruned.entries.map(({ first_day }) => first_day)).toEqual([
      null,
      '2026-03-13',
      '2026-03-14',
      null,
    ]);
  });

  it('of a name that was removed before the first stored day leaves with the name', () => {
    const book = bookAfter({ day: FIRST, limits: { a: 1 } }, { day: '2026-03-20', limits: {} }, newest({}));
    expect(limitsIn(prune(book, { firstDay: '2026-03-21' }))).toEqual([['other', 1]]);
    expect(prune(book, { firstDay: '2026-03-20' })).toBe(book);
  });
});

it('settings leave when no stored day has them', () => {
  const limits = { a: 1 };
  const book = bookAfter(
    { day: FIRST, limits },
    { day: '2026-03-20', limits, lightSpanHours: 12 },
    { day: '2026-03-20', limits, lightSpanHours: 6 },
    { day: '2026-04-20', limits, lightSpanHours: 3 },
  );
  const spans = (use: Partial<RuleUse>) =>
    prune(book, use).settings.map(({ first_day, settings }) => [first_day, settings.light_span_hours]);
  expect(spans({})).toEqual([
    [null, 24],
    ['2026-03-13', 6],
    ['2026-04-13', 3],
  ]);
  expect(spans({ firstDay: '2026-03-12' })).toHaveLength(3);
  expect(spans({ firstDay: '2026-03-13' })).toEqual([
    [null, 6],
    ['2026-04-13', 3],
  ]);
  expect(spans({ firstDay: '2026-05-01' })).toEqual([[null, 3]]);
});

it('the rules of each stored day, and what is not reported, stay the same', () => {
  const day = (n: number) => addDays(FIRST, n);
  const response = fc.record({
    gap: fc.integer({ min: 0, max: 3 }),
    limits: fc.dictionary(fc.constantFrom('a', 'b'), fc.integer({ min: 1, max: 2 })),
    reevaluateDays: fc.constantFrom(0, 3, 7),
    lightSpanHours: fc.constantFrom(12, 24),
  });
  fc.assert(
    fc.property(
      fc.array(response, { minLength: 1, maxLength: 12 }),
      fc.option(fc.integer({ min: -10, max: 40 }), { nil: undefined }),
      fc.integer({ min: -1, max: 40 }),
      (responses, first, settled) => {
        let passed = 0;
        const book = bookAfter(
          ...responses.map(({ gap, ...rest }) => {
            passed += gap;
            return { ...rest, day: day(passed) };
          }),
        );
        const firstDay = first === undefined ? undefined : day(first);
        const settledUntil = noonOf(day(settled));
        const pruned = prune(book, { firstDay, settledUntil });
        for (let n = first ?? -20; n <= 45; n++)
          expect(rulesOn(pruned, day(n))).toEqual(rulesOn(book, day(n)));
        expect(latestChangeTime(pruned)).toBe(latestChangeTime(book));
        const unreported = { after: settledUntil, through: Number.MAX_SAFE_INTEGER };
        expect(thresholdChanges(pruned, unreported)).toEqual(thresholdChanges(book, unreported));
        expect(prune(pruned, { firstDay, settledUntil })).toBe(pruned);
      },
    ),
    { numRuns: 500 },
  );
});

describe('a name that was queried', () => {
  const asked = { metrics: ['a', 'b_ms', 'c'], experiments: ['1', '2'] };
  const book: Rulebook = { ...bookAfter({ day: FIRST, limits: { a: 1, '*_ms': 2, c: 3, 'c*': 4 } }), asked };
  const stored = { metrics: ['a'], experiments: ['2', '3'] };

  it('is forgotten, with its entries and patterns, when no stored day has it', () => {
    const pruned = prune(book, { stored, queriedLists: HTTP });
    expect(pruned.asked).toEqual({ metrics: ['a'], experiments: ['2'] });
    expect(limitsIn(pruned)).toEqual([['a', 1]]);
  });

  it('keeps the patterns that it matches', () => {
    const pruned = prune(book, { stored: { ...stored, metrics: ['x_ms'] }, queriedLists: HTTP });
    expect(limitsIn(pruned)).toEqual([['*_ms', 2]]);
  });

  it('stays while the names of a stored day are not known', () => {
    expect(prune(book, { queriedLists: HTTP })).toBe(book);
  });

  it('keeps rows that come from a file, which the next read would add again', () => {
    const entry = {
      metric_name: 'c',
      first_day: null,
      changed_at: null,
      metadata: about('c'),
      thresholds: [],
    };
    const fromFile = { ...book, entries: [entry] };
    const pruned = prune(fromFile, { stored, queriedLists: { metrics: false, thresholds: true } });
    expect(pruned.entries).toEqual(fromFile.entries);
    expect(pruned.asked.metrics).toEqual(['a', 'c']);
  });

  it('stays while a change of it is not reported', () => {
    const changed = {
      ...bookAfter(
        { day: FIRST, limits: { a: 1, c: 3 } },
        { day: '2026-03-20', limits: { a: 1, c: 5 } },
        newest({ a: 1, c: 5 }),
      ),
      asked,
    };
    const use = { stored, queriedLists: HTTP, settledUntil: noonOf('2026-03-20') - 1 };
    expect(prune(changed, use).asked.metrics).toEqual(['a', 'c']);
    expect(limitsIn(prune(changed, use))).toEqual(limitsIn(changed));
    expect(limitsIn(prune(changed, { ...use, settledUntil: noonOf('2026-03-20') }))).toEqual([
      ['a', 1],
      ['other', 1],
    ]);
  });
});

it('no day is without rules before the first day of all datasets that are made from them', () => {
  const kept = Object.fromEntries([...DERIVED_DATASETS, '_base'].map((name, i) => [name, `2026-03-1${i}`]));
  expect(firstRuledDay(kept)).toBe('2026-03-10');
  expect(firstRuledDay({ ...kept, runs: undefined })).toBeUndefined();
  expect(firstRuledDay({ _base: dayOf(0) })).toBeUndefined();
});
