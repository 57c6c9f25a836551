import fc from 'fast-check';
import { canonicalJson } from '../../../src/domain/canonical-json.js';
import type { MetricMetadata, ThresholdRow } from '../../../src/domain/model.js';
import { withVersions } from '../../../src/state/raise-versions.js';
import {
  type CatalogRows,
  metricMetadataSchema,
  RULEBOOK_KEY,
  type Rulebook,
  readRulebook,
  rulebookSchema,
  rulesOn,
  rulesOnSteps,
  thresholdRowSchema,
  updateRulebook,
  updateRulebookSteps,
} from '../../../src/state/rulebook.js';
import { OWN_VERSIONS, settingsOfInputs, versionsInForce } from '../../../src/state/versions.js';
import { domainDefaults } from '../../support/defaults.js';
import { MemoryStore } from '../../support/memory-store.js';

const CHANGE = { at: 0, from: '2026-03-03' };

const metadata = (metric_name: string, unit: string | null = null): MetricMetadata =>
  metricMetadataSchema.parse({ metric_name, unit });
const threshold = (metric_name: string, critical_threshold: number, experiment_id?: string): ThresholdRow =>
  thresholdRowSchema.parse({ metric_name, critical_threshold, experiment_id });
const response = (rest: Partial<CatalogRows> = {}): CatalogRows => ({
  metadata: [],
  thresholds: [],
  ...rest,
});
const update = (
  book: Rulebook | undefined,
  rows: CatalogRows,
  changeFrom = '2026-03-03',
  settings = domainDefaults,
) => updateRulebook(book, rows, settings, { at: 0, from: changeFrom });

const one = response({ metadata: [metadata('accuracy', '%')], thresholds: [threshold('accuracy', 0.7)] });
const other = response({ metadata: [metadata('accuracy', '%')], thresholds: [threshold('accuracy', 0.9)] });
const limitsOn = (book: Rulebook, day: string) =>
  rulesOn(book, day).thresholds.map((row) => row.critical_threshold);

/** As stored while the first versions are in force. */
const FIRST_SETTINGS = { ...domainDefaults, rules_version: 1, count_nested_of: null };

describe('the rulebook', () => {
  it('is parsed once while it is unchanged', async () => {
    const store = new MemoryStore();
    expect(await readRulebook(store)).toBeUndefined();
    const book = update(undefined, one);
    await store.put(RULEBOOK_KEY, Buffer.from(canonicalJson(book)));
    const first = await readRulebook(store);
    expect(first).toEqual(book);
    expect(await readRulebook(store)).toBe(first);
    expect(await readRulebook(new MemoryStore(store.objects))).not.toBe(first);

    const changed = update(book, other);
    await store.put(RULEBOOK_KEY, Buffer.from(canonicalJson(changed)));
    expect(await readRulebook(store)).toEqual(changed);
    await store.delete(RULEBOOK_KEY);
    expect(await readRulebook(store)).toBeUndefined();
  });

  it('has one set of rules for all days with the same entries', () => {
    const changed = update(update(undefined, one), other);
    expect(rulesOn(changed, '2026-03-01')).toBe(rulesOn(changed, '2026-03-02'));
    expect(rulesOn(changed, '2026-03-03')).toBe(rulesOn(changed, '2999-12-31'));
    expect(limitsOn(changed, '2026-03-02')).toEqual([0.7]);
    expect(limitsOn(changed, '2026-03-03')).toEqual([0.9]);
  });

  it('may be interrupted at every entry', () => {
    const rows = Array.from({ length: 1_000 }, (_, i) => threshold(`metric ${i}`, 1));
    const book = update(undefined, response({ thresholds: rows }));
    expect([...rulesOnSteps(book, '2026-03-03')].length).toBeGreaterThanOrEqual(2_000);
    const repeated = updateRulebookSteps(book, response({ thresholds: rows }), domainDefaults, CHANGE);
    expect([...repeated].length).toBeGreaterThanOrEqual(1_000);
  });

  it('applies the first rows to all days', () => {
    const book = update(undefined, one);
    for (const day of ['1970-01-01', '2026-03-02', '2999-12-31']) {
      expect(rulesOn(book, day)).toEqual({ ...one, settings: FIRST_SETTINGS });
    }
  });

  it('has settings and no rules without a catalog', () => {
    expect(rulesOn(update(undefined, response()), '2026-03-10')).toEqual({
      ...response(),
      settings: FIRST_SETTINGS,
    });
  });

  it('applies a change from its first day, and keeps earlier rules', () => {
    const book = update(update(undefined, one), other);
    expect(limitsOn(book, '2026-03-02')).toEqual([0.7]);
    expect(limitsOn(book, '2026-03-03')).toEqual([0.9]);
    expect(limitsOn(book, '2026-12-31')).toEqual([0.9]);
  });

  it('applies the first rows of a new name to all days, while other names change', () => {
    const both = response({
      thresholds: [...other.thresholds, threshold('loss', 5)],
      metadata: other.metadata,
    });
    const book = update(update(undefined, one), both);
    expect(limitsOn(book, '2026-03-02')).toEqual([0.7, 5]);
    expect(limitsOn(book, '2026-03-03')).toEqual([0.9, 5]);
  });

  it('applies no rows of a removed name from the change until it returns', () => {
    const without = update(update(undefined, one), response());
    expect(limitsOn(without, '2026-03-02')).toEqual([0.7]);
    expect(rulesOn(without, '2026-03-03')).toMatchObject(response());
    expect(update(without, response(), '2026-03-09')).toBe(without);
    const back = update(without, one, '2026-03-05');
    expect(limitsOn(back, '2026-03-04')).toEqual([]);
    expect(limitsOn(back, '2026-03-05')).toEqual([0.7]);
  });

  it('applies the last of two changes of one day', () => {
    const third = response({ ...one, thresholds: [threshold('accuracy', 0.8)] });
    const book = update(update(update(undefined, one), other), third);
    expect(limitsOn(book, '2026-03-03')).toEqual([0.8]);
    expect(limitsOn(book, '2026-03-02')).toEqual([0.7]);
  });

  it('applies the last change, even if its first day is earlier', () => {
    const third = response({ ...one, thresholds: [threshold('accuracy', 0.8)] });
    const book = update(update(update(undefined, one), other, '2026-03-09'), third, '2026-03-01');
    expect(limitsOn(book, '2026-03-05')).toEqual([0.8]);
    expect(limitsOn(book, '2026-03-10')).toEqual([0.8]);
  });

  it('is the same object if nothing changed, whatever the order of the names', () => {
    const many = response({
      thresholds: [threshold('b', 1), threshold('a', 1), threshold('b', 2)],
      metadata: [metadata('c'), metadata('a')],
    });
    const book = update(undefined, many);
    const shuffled = response({
      thresholds: [threshold('b', 1), threshold('b', 2), threshold('a', 1)],
      metadata: [metadata('a'), metadata('c')],
    });
    expect(update(book, shuffled)).toBe(book);
  });

  it.each([
    [
      'the order of rows of one name, as the last row takes precedence',
      response({ thresholds: [threshold('b', 2), threshold('b', 1)] }),
    ],
    [
      'an additional row',
      response({ thresholds: [threshold('b', 1), threshold('b', 2), threshold('b', 2, '7')] }),
    ],
    ['metadata', response({ thresholds: [threshold('b', 1), threshold('b', 2)], metadata: [metadata('b')] })],
  ])('changes with %s', (_, rows) => {
    const book = update(undefined, response({ thresholds: [threshold('b', 1), threshold('b', 2)] }));
    const changed = update(book, rows);
    expect(changed.entries).toHaveLength(2);
    expect(changed.entries[1]?.first_day).toBe('2026-03-03');
  });

  it('keeps the last metadata row of a name', () => {
    const book = update(undefined, response({ metadata: [metadata('a', 'first'), metadata('a', 'last')] }));
    expect(rulesOn(book, '2026-03-10').metadata).toEqual([metadata('a', 'last')]);
  });

  it('applies the first settings to all days, and a change from its first day', () => {
    const stricter = { ...domainDefaults, pass_rate_percent: 90 };
    const book = update(update(undefined, one), one, '2026-03-03', stricter);
    expect(book.entries).toHaveLength(1);
    expect(rulesOn(book, '2026-03-02').settings.pass_rate_percent).toBe(80);
    expect(rulesOn(book, '2026-03-03').settings.pass_rate_percent).toBe(90);
    expect(update(book, one, '2026-03-09', stricter)).toBe(book);
    expect(update(book, one, '2026-03-09').settings).toHaveLength(3);
  });

  it('is not changed by a process that does not support its versions', () => {
    for (const versions of [
      { rules: OWN_VERSIONS.rules + 1, schema: 1 },
      { rules: 1, schema: OWN_VERSIONS.schema + 1 },
    ]) {
      const newer = withVersions(update(undefined, one), versions, 5);
      expect(update(newer, other, '2026-03-09')).toBe(newer);
    }
  });

  it('knows which child runs are chosen only by rules 3 and schema 3', () => {
    const chosen = { ...domainDefaults, count_nested_of: ['hpo/*'] };
    const book = update(undefined, one, '2026-03-03', chosen);
    for (const [rules, schema, known] of [
      [1, 1, false],
      [2, 2, false],
      [3, 2, false],
      [3, 3, true],
    ] as const) {
      const { settings } = rulesOn(withVersions(book, { rules, schema }, 5), '2026-03-02');
      expect(settings.count_nested_of).toEqual(known ? ['hpo/*'] : null);
      // Older releases compute the digest of the inputs without the key.
      expect('count_nested_of' in settingsOfInputs({ rules, schema }, settings)).toBe(known);
    }
  });

  it('has raised versions for all days, and never lower ones', () => {
    const stricter = { ...domainDefaults, pass_rate_percent: 90 };
    const book = update(update(undefined, one), one, '2026-03-03', stricter);
    expect(versionsInForce(book)).toEqual({ rules: 1, schema: 1 });
    const raised = withVersions(book, { rules: 1, schema: 2 }, 5);
    expect(raised.versions).toEqual({ rules: 1, schema: 2, since: 5, rewritten: false });
    // What release 0.1 compares with its own version, for every day.
    expect(raised.settings.map(({ settings }) => settings.rules_version)).toEqual([2, 2]);
    expect(raised.settings.map(({ settings }) => settings.pass_rate_percent)).toEqual([80, 90]);
    expect(withVersions(raised, { rules: 1, schema: 2 }, 9)).toBe(raised);
    expect(withVersions(raised, { rules: 2, schema: 1 }, 9).versions).toMatchObject({ rules: 2, schema: 2 });
    const own = { rules: 3, schema: 3 };
    const change = { at: 0, from: '2026-03-09' };
    expect(updateRulebook(raised, one, stricter, change, own)).toBe(raised);
    expect(updateRulebook(raised, other, stricter, change, own).versions).toEqual(raised.versions);
  });

  it('survives a round trip through JSON', () => {
    const book = update(update(undefined, one), other, '2026-03-04');
    expect(rulebookSchema.parse(JSON.parse(JSON.stringify(book)))).toEqual(book);
  });

  it('applies the last change of each name up to a day, for any history', () => {
    const day = (n: number): string => `2026-03-${String(n + 1).padStart(2, '0')}`;
    const anyRows = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c*'), fc.nat(2)), { maxLength: 4 });
    const history = fc.array(fc.tuple(fc.nat(3), anyRows), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(history, fc.integer({ min: -1, max: 24 }), (steps, onDay) => {
        let book: Rulebook | undefined;
        let changeFrom = 0;
        // The last rows of each name that apply on the day; the first rows of a name always do.
        const expected = new Map<string, number[]>();
        const known = new Map<string, string>();
        for (const [later, rows] of steps) {
          changeFrom += later;
          book = update(
            book,
            response({ thresholds: rows.map(([name, limit]) => threshold(name, limit)) }),
            day(changeFrom),
          );
          for (const name of new Set([...known.keys(), ...rows.map(([each]) => each)])) {
            const limits = rows.filter(([each]) => each === name).map(([, limit]) => limit);
            const changed = known.get(name) !== JSON.stringify(limits);
            if (changed && (!known.has(name) || changeFrom <= onDay)) expected.set(name, limits);
            known.set(name, JSON.stringify(limits));
          }
        }
        const rules = rulesOn(book as Rulebook, onDay < 0 ? '2026-02-28' : day(onDay));
        const actual = ['a', 'b', 'c*'].map((name) =>
          rules.thresholds.filter((row) => row.metric_name === name).map((row) => row.critical_threshold),
        );
        expect(actual).toEqual(['a', 'b', 'c*'].map((name) => expected.get(name) ?? []));
      }),
      { numRuns: 500 },
    );
  });
});
