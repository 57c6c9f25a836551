import { DATE_LAG_MS } from '../../../src/domain/merge-precedence.js';
import { DAY, gone, LATER, NOON, run, SECOND, SliceStore } from './slice-store.js';

let slices: SliceStore;

beforeEach(async () => {
  slices = await SliceStore.open();
});
afterEach(() => slices.close());

const OPEN = { experiment_id: '1', day: DAY };

describe('enrichSlice', () => {
  it('keeps a row that may be newer, and leaves the run open until a later response decides', async () => {
    await slices.enrich({ pages: [slices.page(NOON, run('a', 'new'))] });
    const tooEarly = await slices.enrich({ pages: [slices.page(NOON + DATE_LAG_MS, run('a', 'other'))] }, [
      'a',
    ]);
    expect(tooEarly).toMatchObject({ superseded: 1, updated: 0, touched_days: [], closed: [] });
    expect(slices.opened).toEqual([{ run_id: 'a', ...OPEN, undecided: true }]);
    expect(await slices.base()).toMatchObject([{ run_name: 'new', observed: NOON }]);
    const delta = await slices.enrich({ pages: [slices.page(LATER, run('a', 'other'))] }, ['a']);
    expect(delta).toMatchObject({ superseded: 0, updated: 1, closed: ['a'] });
    expect(slices.opened).toEqual([]);
    expect(await slices.base()).toMatchObject([{ run_name: 'other', observed: LATER }]);
  });

  it('assumes that a slow response was read at its latest possible time', async () => {
    const slow = { ...(await slices.page(NOON, run('a', 'slow'))), began: NOON - 60 * SECOND };
    await slices.enrich({ pages: [Promise.resolve(slow)] });
    await slices.enrich({ pages: [slices.page(NOON + 60 * SECOND, run('a', 'delayed'))] });
    expect(await slices.base()).toMatchObject([{ run_name: 'slow' }]);
    expect(slices.opened).toEqual([{ run_id: 'a', ...OPEN, undecided: true }]);
  });

  it('touches no day if no content changed', async () => {
    await slices.enrich({ pages: [slices.page(NOON, run('a', 'same'))] });
    const before = await slices.headOfBase();
    const counts = await slices.enrich({ pages: [slices.page(LATER, run('a', 'same'))] }, ['a']);
    expect(counts).toMatchObject({ unchanged: 1, touched_days: [], closed: ['a'] });
    expect(await slices.headOfBase()).toEqual(before);
  });

  it('stores the content of the latest request if pages disagree, and leaves the run open', async () => {
    const pages = [slices.page(NOON + SECOND, run('a', 'last')), slices.page(NOON, run('a', 'first'))];
    expect(await slices.enrich({ pages }, ['a'])).toMatchObject({ runs: 1, inserted: 1, closed: [] });
    expect(await slices.base()).toMatchObject([{ run_name: 'last' }]);
    expect(slices.opened).toEqual([{ run_id: 'a', ...OPEN, undecided: true }]);
  });

  it('counts a run once that two pages have with the same content', async () => {
    const pages = [
      slices.page(NOON, run('a', 'x')),
      slices.page(NOON + SECOND, run('a', 'x'), run('b', 'y')),
    ];
    expect(await slices.enrich({ pages })).toMatchObject({ runs: 2, inserted: 2 });
    expect(slices.opened).toEqual([]);
  });

  it('marks a run as gone, and restores it when MLflow returns it again', async () => {
    await slices.enrich({ pages: [slices.page(NOON, run('a', 'x'), run('b', 'x'))] });
    expect(await slices.enrich({ gone: [gone('a', LATER)] }, ['a'])).toMatchObject({
      updated: 1,
      closed: ['a'],
    });
    expect(await slices.base()).toMatchObject([
      { run_id: 'a', lifecycle_stage: 'gone', observed: LATER },
      { run_id: 'b', lifecycle_stage: 'active' },
    ]);
    expect(await slices.published()).toEqual(['b']);
    expect(await slices.enrich({ gone: [gone('a', 2 * LATER - NOON)] })).toMatchObject({
      updated: 0,
      unchanged: 1,
    });
    await slices.enrich({ pages: [slices.page(2 * LATER - NOON, run('a', 'x'))] });
    expect(await slices.base()).toMatchObject([{ lifecycle_stage: 'active' }, { lifecycle_stage: 'active' }]);
    expect(await slices.published()).toEqual(['a', 'b']);
  });

  it('leaves a run open that may be gone, even if it was not open before', async () => {
    await slices.enrich({ pages: [slices.page(NOON, run('a', 'x'))] });
    expect(await slices.enrich({ gone: [gone('a', NOON + SECOND)] })).toMatchObject({
      superseded: 1,
      closed: [],
    });
    expect(await slices.base()).toMatchObject([{ lifecycle_stage: 'active' }]);
    expect(slices.opened).toEqual([{ run_id: 'a', ...OPEN, undecided: true }]);
  });

  it('does not mark a run as gone if a page of the slice has it', async () => {
    await slices.enrich({ pages: [slices.page(NOON, run('a', 'x'))] });
    await slices.enrich({ pages: [slices.page(LATER, run('a', 'x'))], gone: [gone('a', LATER)] });
    expect(await slices.base()).toMatchObject([{ lifecycle_stage: 'active' }]);
  });

  it.each([
    ['with a day', DAY],
    ['without a day', null],
  ])('closes a run that is gone and was never stored, %s', async (_, day) => {
    const counts = await slices.enrich({ gone: [gone('never', NOON, day)] }, ['never']);
    expect(counts).toMatchObject({ inserted: 0, updated: 0, closed: ['never'] });
    expect(slices.opened).toEqual([]);
    expect(await slices.headOfBase()).toBeUndefined();
  });

  it('has the same content digest whether or not it ever saw a gone run', async () => {
    await slices.enrich({ pages: [slices.page(NOON, run('b', 'x'))] });
    const without = await slices.contentOfBase();
    await slices.enrich({ pages: [slices.page(NOON, run('a', 'x'))] });
    expect(await slices.contentOfBase()).not.toBe(without);
    await slices.enrich({ gone: [gone('a', LATER)] });
    expect(await slices.contentOfBase()).toBe(without);
  });

  it('replaces a row whose time is in the future, and leaves the run open', async () => {
    const ahead = NOON + 3600 * SECOND;
    await slices.enrich({ pages: [slices.page(ahead, run('a', 'by a wrong clock'))] });
    slices.serverNow = NOON + 300 * SECOND;
    const counts = await slices.enrich({ pages: [slices.page(NOON + 290 * SECOND, run('a', 'x'))] }, ['a']);
    expect(counts).toMatchObject({ updated: 1, superseded: 0, closed: [] });
    expect(await slices.base()).toMatchObject([{ run_name: 'x' }]);
    expect(slices.opened).toEqual([{ run_id: 'a', ...OPEN, undecided: true }]);
    expect(slices.clockRequests).toBe(1);
  });

  it("requests the server's clock only if a stored time is later than that of the response", async () => {
    await slices.enrich({ pages: [slices.page(NOON, run('a', 'new'))] });
    await slices.enrich({ pages: [slices.page(NOON + SECOND, run('a', 'other'))] });
    expect(slices.clockRequests).toBe(0);
    slices.serverNow = NOON + DATE_LAG_MS;
    await slices.enrich({ pages: [slices.page(NOON - SECOND, run('a', 'other'))] });
    expect(slices.clockRequests).toBe(1);
    expect(await slices.base()).toMatchObject([{ run_name: 'new' }]);
  });

  it('keeps the row of a run that can no longer be read, and leaves the run open', async () => {
    await slices.enrich({ pages: [slices.page(NOON, run('a', 'x'))] });
    const counts = await slices.enrich(
      { pages: [slices.page(LATER, run('a', 'x', { status: 'ODD' }), run('b', 'x'))] },
      ['a'],
    );
    expect(counts).toMatchObject({ quarantined: 1, inserted: 1, closed: [] });
    expect(await slices.base()).toMatchObject([{ run_id: 'a', lifecycle_stage: 'active' }, { run_id: 'b' }]);
  });

  it('leaves a run open until it has ended', async () => {
    const running = run('a', 'x', { status: 'RUNNING' });
    expect(await slices.enrich({ pages: [slices.page(NOON, running)] }, ['a'])).toMatchObject({ closed: [] });
    expect(slices.opened).toEqual([{ run_id: 'a', ...OPEN }]);
    expect(await slices.enrich({ pages: [slices.page(LATER, run('a', 'x'))] }, ['a'])).toMatchObject({
      closed: ['a'],
    });
  });
});
