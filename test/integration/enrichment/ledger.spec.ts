import { imbalanceOf } from '../../../src/domain/ledger.js';
import { DATE_LAG_MS } from '../../../src/domain/merge-precedence.js';
import { gone, LATER, NOON, run, SliceStore, START } from './slice-store.js';

let slices: SliceStore;

beforeEach(async () => {
  slices = await SliceStore.open();
});
afterEach(() => slices.close());

const NOTHING = {
  inserted: 0,
  updated: 0,
  unchanged: 0,
  superseded: 0,
  undated: 0,
  expired: 0,
  quarantined: 0,
};

describe('the ledger of a slice', () => {
  it('accounts for each record once, by experiment', async () => {
    const two = { experiment_id: '2' };
    await slices.enrich({
      pages: [slices.page(NOON, run('same', 'x'), run('new', 'x'), run('old', 'x'), run('gone', 'x'))],
    });
    const { ledger } = await slices.enrich({
      pages: [
        slices.page(
          LATER,
          run('same', 'x'),
          run('new', 'y'),
          run('first', 'x'),
          run('first2', 'x', two),
          run('undated', 'x', { ...two, start_time: 0, end_time: 0 }),
          run('bad', 'x', { ...two, status: 'BROKEN' }),
          run('bad', 'y', { ...two, status: 'BROKEN' }),
        ),
        // The same records once more, and one that may be older than what is stored.
        slices.page(LATER, run('same', 'x'), run('bad', 'x', { ...two, status: 'BROKEN' })),
        slices.page(NOON + DATE_LAG_MS, run('old', 'y')),
      ],
      gone: [gone('gone', LATER)],
      oversized: [
        {
          run_id: 'big',
          experiment_id: '1',
          start_time: START,
          bytes: 2,
          limit: 1,
          date: LATER,
          record: '{}',
        },
      ],
    });
    expect(ledger).toEqual([
      {
        ...NOTHING,
        experiment_id: '1',
        records: 5,
        inserted: 1,
        updated: 1,
        unchanged: 1,
        superseded: 1,
        quarantined: 1,
      },
      { ...NOTHING, experiment_id: '2', records: 4, inserted: 1, undated: 1, quarantined: 2 },
    ]);
    expect(ledger?.map(imbalanceOf)).toEqual([0, 0]);
  });

  it('shows a record that is in no count', () => {
    expect(imbalanceOf({ ...NOTHING, records: 3, inserted: 1, quarantined: 1 })).toBe(1);
    expect(imbalanceOf({ ...NOTHING, records: 1, inserted: 1, unchanged: 1 })).toBe(1);
  });

  it('is absent without records', async () => {
    expect((await slices.enrich({ pages: [] })).ledger).toBeUndefined();
  });
});

describe('what a sweep found and deltas had not', () => {
  const readUntil = (ms: number) => async () => new Map([['1', ms]]);
  const END = START + 60_000;

  it('are ended runs that are new or changed, and older than what deltas have read', async () => {
    await slices.enrich({ pages: [slices.page(NOON, run('changed', 'x'), run('same', 'x'))] });
    const running = { status: 'RUNNING', end_time: null };
    const pages = [
      slices.page(
        LATER,
        run('changed', 'y'),
        run('same', 'x'),
        run('new', 'x'),
        run('running', 'x', running),
      ),
    ];
    const { missed } = await slices.enrich({ pages }, [], readUntil(END + 1));
    expect(missed).toBe(2);
  });

  it('are none if their end is not older, or if no delta has read the experiment', async () => {
    const swept = async (id: string, read: () => Promise<Map<string, number>>) =>
      (await slices.enrich({ pages: [slices.page(NOON, run(id, 'x'))] }, [], read)).missed;
    expect(await swept('a', readUntil(END))).toBeUndefined();
    expect(await swept('b', async () => new Map([['2', END + 1]]))).toBeUndefined();
  });

  it('do not include runs whose metrics are newer', async () => {
    const late = {
      ...run('a', 'x'),
      data: { metrics: [{ key: 'm', value: 1, timestamp: END + 5, step: 0 }] },
    };
    const result = await slices.enrich({ pages: [slices.page(NOON, late)] }, [], readUntil(END + 1));
    expect(result).toMatchObject({ inserted: 1 });
    expect(result.missed).toBeUndefined();
  });
});
