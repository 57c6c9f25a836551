import { canonicalJson } from '../../../src/domain/canonical-json.js';
import type { ThresholdRow } from '../../../src/domain/model.js';
import { RULEBOOK_KEY, type Rulebook, rulesOn, updateRulebook } from '../../../src/state/rulebook.js';
import {
  firstChangedDay,
  markChangesPublished,
  rulebookBefore,
  thresholdChanges,
  unpublishedChanges,
} from '../../../src/state/threshold-changes.js';
import { domainDefaults } from '../../support/defaults.js';
import { MemoryStore } from '../../support/memory-store.js';

const row = (
  metric_name: string,
  critical: number | null,
  warning: number | null,
  rest: Partial<ThresholdRow> = {},
): ThresholdRow => ({
  metric_name,
  experiment_id: null,
  critical_threshold: critical,
  warning_threshold: warning,
  updated_at: null,
  updated_by: null,
  ...rest,
});
const EVER = { after: 0, through: Number.MAX_SAFE_INTEGER };
const DAY_10 = Date.parse('2026-03-10T12:00:00Z');
const change = (at: number, from: string) => ({ at, from });

/** The rulebook after these responses of the catalog, one per hour; all but the first are changes. */
function bookAfter(...responses: ThresholdRow[][]): Rulebook {
  let book: Rulebook | undefined;
  for (const [i, thresholds] of responses.entries()) {
    const at = DAY_10 + i * 3_600_000;
    book = updateRulebook(
      book,
      { metadata: [], thresholds },
      domainDefaults,
      change(at, `2026-03-0${i + 3}`),
    );
  }
  if (!book) throw new Error('No responses');
  return book;
}
const short = (book: Rulebook, span = EVER) =>
  thresholdChanges(book, span).map(({ metric_name, experiment_id, before, after, first_day }) => [
    metric_name,
    experiment_id,
    before && [before.critical_threshold, before.warning_threshold],
    after && [after.critical_threshold, after.warning_threshold],
    first_day,
  ]);

describe('thresholdChanges', () => {
  it('returns the changes after the first response by name and experiment, with old and new limits', () => {
    const book = bookAfter(
      [row('a', 0.7, 0.8), row('a', 0.9, null, { experiment_id: '7' }), row('b', 1, 2)],
      [row('a', 0.6, 0.8), row('a', 0.9, null, { experiment_id: '7' }), row('c', 3, 4)],
    );
    expect(short(book)).toEqual([
      ['a', null, [0.7, 0.8], [0.6, 0.8], '2026-03-04'],
      ['b', null, [1, 2], null, '2026-03-04'],
      ['c', null, null, [3, 4], null],
    ]);
  });

  it('ignores a changed author and a new row without limits', () => {
    const book = bookAfter(
      [row('a', 0.7, 0.8)],
      [row('a', 0.7, 0.8, { updated_by: 'bea' }), row('b', null, null)],
    );
    expect(book.entries).toHaveLength(3);
    expect(short(book)).toEqual([]);
  });

  it('compares the rows that apply if a name has several', () => {
    const old = row('a', 0.1, null, { updated_at: '2026-01-01' });
    const book = bookAfter(
      [old, row('a', 0.7, null, { updated_at: '2026-02-01' })],
      [
        old,
        row('a', 0.7, null, { updated_at: '2026-02-01' }),
        row('a', 0.5, null, { updated_at: '2026-03-01' }),
      ],
    );
    expect(short(book)).toEqual([['a', null, [0.7, null], [0.5, null], '2026-03-04']]);
  });

  it('gives each change its own time, even if the clock stops or goes back', () => {
    let book = bookAfter([row('a', 1, null)]);
    for (const critical of [2, 3]) {
      const response = { metadata: [], thresholds: [row('a', critical, null)] };
      book = updateRulebook(book, response, domainDefaults, change(DAY_10 - critical, '2026-03-03'));
    }
    const [first, second] = thresholdChanges(book, EVER);
    expect(second?.changed_at).toBeGreaterThan(first?.changed_at ?? Number.NaN);
    expect(short(book, { after: 0, through: first?.changed_at ?? 0 })).toHaveLength(1);
    expect(short(book, { after: first?.changed_at ?? 0, through: EVER.through })).toEqual([
      ['a', null, [2, null], [3, null], '2026-03-03'],
    ]);
    const before = rulesOn(rulebookBefore(book, second?.changed_at ?? 0), '2026-03-10');
    expect(before.thresholds.map(({ critical_threshold }) => critical_threshold)).toEqual([2]);
  });
});

describe('unpublishedChanges', () => {
  const put = async (book: Rulebook): Promise<MemoryStore> => {
    const store = new MemoryStore();
    await store.put(RULEBOOK_KEY, Buffer.from(canonicalJson(book)));
    return store;
  };

  it('returns changes to a reevaluation of all days they apply to, and once', async () => {
    const book = bookAfter([row('a', 1, null)], [row('a', 2, null)], [row('a', 3, null)]);
    const store = await put(book);
    const from = Date.parse('2026-03-04');
    expect(firstChangedDay(book, 0)).toBe(from);
    expect(await unpublishedChanges(store, { from: from + 1, to: EVER.through })).toBeUndefined();
    const pending = await unpublishedChanges(store, { from, to: EVER.through });
    expect(pending).toEqual({ after: 0, through: DAY_10 + 2 * 3_600_000 });
    expect(await unpublishedChanges(store, null)).toEqual(pending);
    if (pending) await markChangesPublished(store, pending);
    expect(await unpublishedChanges(store, null)).toBeUndefined();
  });

  it('returns nothing for a store without changes or without a rulebook', async () => {
    expect(await unpublishedChanges(new MemoryStore(), null)).toBeUndefined();
    expect(await unpublishedChanges(await put(bookAfter([row('a', 1, null)])), null)).toBeUndefined();
  });

  it('includes all days if a name has its first rows', () => {
    expect(firstChangedDay(bookAfter([row('a', 1, null)], [row('a', 1, null), row('b', 1, null)]), 0)).toBe(
      0,
    );
  });
});
