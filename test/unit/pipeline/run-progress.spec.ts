import { PIPELINE_KINDS, type PipelineKind } from '../../../src/domain/model.js';
import { MS_PER_DAY } from '../../../src/domain/time.js';
import { type ProgressInputs, RunProgress } from '../../../src/pipeline/run-progress.js';
import { type Plan, type Slice, type Stage, stageName } from '../../../src/pipeline/stage-contracts.js';
import { planOf, sliceOf } from '../../support/stage-results.js';

const plan = (...slices: Slice[]): Plan => planOf({ slices });
const due = (
  kind: PipelineKind,
  of: Plan | undefined,
  done: readonly string[],
  selected?: ProgressInputs['selected'],
): string[] =>
  new RunProgress({ kind, plan: of, done, ...(selected ? { selected } : {}) }).due().map(stageName);
const twoDays = plan(sliceOf({ id: 'a', from: 1 }), sliceOf({ id: 'b', from: 2 }));

describe('the due stages', () => {
  it.each(PIPELINE_KINDS)('of a %s without a plan are `plan`', (kind) => {
    expect(due(kind, undefined, [])).toEqual(['all.plan']);
  });

  it.each([
    ['delta', ['fetch', 'enrich']],
    ['backup', ['fetch', 'enrich']],
    ['historical', ['fetch', 'enrich', 'forecast', 'aggregate']],
    ['backfill', ['fetch', 'enrich', 'aggregate']],
    ['bootstrap', ['fetch', 'enrich', 'aggregate']],
  ] as [PipelineKind, Stage[]][])(
    'of a slice of a %s are %j one after another, then the days to rebuild are selected',
    (kind, stages) => {
      const one = plan(sliceOf({ id: 'a' }));
      const done = ['all.plan'];
      for (const stage of stages) {
        expect(due(kind, one, done)).toEqual([`a.${stage}`]);
        done.push(`a.${stage}`);
      }
      expect(due(kind, one, done)).toEqual(['all.select-forecast']);
      done.push('all.select-forecast');
      expect(due(kind, one, done)).toEqual(['all.select-rebuild']);
      expect(due(kind, one, [...done, 'all.select-rebuild'], { 'select-rebuild': [] })).toEqual([]);
    },
  );

  it('of days with forecasts are one after another, in the order of the selection', () => {
    const days = ['2026-03-08', '2026-03-09', '2026-03-10'];
    const selected = { 'select-forecast': days.map((day) => ({ day })) };
    const done = ['all.plan', 'all.select-forecast'];
    expect(due('delta', plan(), done, selected)).toEqual(['day-20260308.forecast']);
    expect(due('delta', plan(), [...done, 'day-20260308.forecast'], selected)).toEqual([
      'day-20260309.forecast',
    ]);
    const progress = new RunProgress({ kind: 'delta', plan: plan(), done, selected });
    const finish = (day: string) =>
      progress.finish({ slice: `day-${day.replaceAll('-', '')}`, stage: 'forecast' })?.map(stageName);
    expect(days.map(finish)).toEqual([
      ['day-20260309.forecast'],
      ['day-20260310.forecast'],
      ['all.select-rebuild'],
    ]);
  });

  it('of selected days are one `rebuild` each, in the order of the selection', () => {
    const done = ['all.plan', 'all.select-forecast', 'all.select-rebuild'];
    const selected = { 'select-rebuild': [{ day: '2026-03-10' }, { day: '2026-03-09' }] };
    expect(due('delta', plan(), done, selected)).toEqual(['day-20260310.rebuild', 'day-20260309.rebuild']);
    expect(due('delta', plan(), [...done, 'day-20260310.rebuild'], selected)).toEqual([
      'day-20260309.rebuild',
    ]);
    expect(due('delta', plan(), [...done, 'day-20260310.rebuild', 'day-20260309.rebuild'], selected)).toEqual(
      [],
    );
  });

  it('of a reevaluation judge all selected days, then compute forecasts, then rebuild the days that depend on them', () => {
    const one = plan(sliceOf({ id: 'd-20260310' }));
    const units = [{ day: '2026-03-10' }];
    expect(due('reevaluation', one, ['all.plan'])).toEqual(['all.select-judge']);
    const judging = ['all.plan', 'all.select-judge'];
    expect(due('reevaluation', one, judging, { 'select-judge': units })).toEqual(['day-20260310.judge']);
    const judged = [...judging, 'day-20260310.judge'];
    expect(due('reevaluation', one, judged, { 'select-judge': units })).toEqual(['all.select-forecast']);
    const forecast = [...judged, 'all.select-forecast'];
    expect(due('reevaluation', one, forecast, { 'select-judge': units })).toEqual(['all.select-rebuild']);
    const selected = { 'select-judge': units, 'select-rebuild': units };
    const rebuilding = [...forecast, 'all.select-rebuild'];
    expect(due('reevaluation', one, rebuilding, selected)).toEqual(['day-20260310.rebuild']);
    expect(due('reevaluation', one, [...rebuilding, 'day-20260310.rebuild'], selected)).toEqual([]);
  });

  it('of a reevaluation with threshold changes end with `publish`', () => {
    const changed = planOf({ changes: { after: 0, through: 1 } });
    const done = ['all.plan', 'all.select-judge', 'all.select-forecast', 'all.select-rebuild'];
    expect(due('reevaluation', changed, done)).toEqual(['all.publish']);
    expect(due('reevaluation', changed, [...done, 'all.publish'])).toEqual([]);
  });

  it.each(PIPELINE_KINDS)('of a %s that an older version has published are none', (kind) => {
    expect(due(kind, plan(), ['all.plan', 'all.publish'])).toEqual([]);
  });

  it('are the next stage of every slice, in the order of the plan', () => {
    expect(due('delta', twoDays, ['all.plan', 'b.fetch'])).toEqual(['a.fetch', 'b.enrich']);
  });

  it('do not select days while a slice is unfinished', () => {
    expect(due('delta', twoDays, ['a.fetch', 'a.enrich', 'b.fetch'])).toEqual(['b.enrich']);
  });

  it('include a stage again whose marker was removed: a slice whose raw pages are lost is fetched again', () => {
    expect(due('delta', plan(sliceOf({ id: 'a' })), ['a.enrich'])).toEqual(['a.fetch']);
  });

  it('of a historical run forecast the days in order, each as soon as it and all days before it are enriched', () => {
    const days = [0, 1, 20].map((day) => sliceOf({ id: `d${day}`, from: day * MS_PER_DAY }));
    const fetched = days.map(({ id }) => `${id}.fetch`);
    const dueAfter = (...done: string[]) => due('historical', plan(...days), [...fetched, ...done]);
    expect(dueAfter('d1.enrich', 'd20.enrich')).toEqual(['d0.enrich']);
    expect(dueAfter('d0.enrich', 'd20.enrich')).toEqual(['d0.forecast', 'd1.enrich']);
    const enriched = ['d0.enrich', 'd1.enrich', 'd20.enrich'];
    expect(dueAfter(...enriched)).toEqual(['d0.forecast']);
    expect(dueAfter(...enriched, 'd0.forecast')).toEqual(['d0.aggregate', 'd1.forecast']);
    expect(dueAfter(...enriched, 'd0.forecast', 'd1.forecast')).toEqual([
      'd0.aggregate',
      'd1.aggregate',
      'd20.forecast',
    ]);
  });

  it('of a historical run forecast and aggregate a day only after `enrich` of all its slices, and forecast it once', () => {
    const oneDay = plan(sliceOf({ id: 'a', from: 1 }), sliceOf({ id: 'b', from: 1, chunk: 1 }));
    const done = ['a.fetch', 'a.enrich', 'b.fetch'];
    expect(due('historical', oneDay, done)).toEqual(['b.enrich']);
    expect(due('historical', oneDay, [...done, 'b.enrich'])).toEqual(['a.forecast']);
    const forecast = [...done, 'b.enrich', 'a.forecast'];
    expect(due('historical', oneDay, forecast)).toEqual(['a.aggregate', 'b.aggregate']);
  });

  it('of a backfill include `aggregate` of a day directly after its `enrich`', () => {
    expect(due('backfill', twoDays, ['b.fetch', 'b.enrich'])).toEqual(['a.fetch', 'b.aggregate']);
  });

  describe('of a bootstrap', () => {
    /** Ten days, newest first. The newest one is half over. */
    const tenDays = planOf({
      to: 9.5 * MS_PER_DAY,
      slices: Array.from({ length: 10 }, (_, i) => sliceOf({ id: `d${9 - i}`, from: (9 - i) * MS_PER_DAY })),
    });
    const enriched = (...days: number[]) => days.flatMap((day) => [`d${day}.fetch`, `d${day}.enrich`]);

    it('include `aggregate` of the two newest days directly after their `enrich`', () => {
      expect(due('bootstrap', tenDays, enriched(9, 8))).toEqual([
        'd9.aggregate',
        'd8.aggregate',
        'd7.fetch',
        'd6.fetch',
      ]);
    });

    it.each([
      [
        'include `aggregate` of a day that starts 2 days before the end at once',
        0,
        ['a.aggregate', 'b.fetch'],
      ],
      ['do not include `aggregate` of a day that starts earlier at once', 1, ['b.fetch']],
    ])('%s', (_, later, expected) => {
      const twoSlices = planOf({
        to: 10 * MS_PER_DAY + later,
        slices: [sliceOf({ id: 'a', from: 8 * MS_PER_DAY }), sliceOf({ id: 'b', from: 7 * MS_PER_DAY })],
      });
      expect(due('bootstrap', twoSlices, ['a.fetch', 'a.enrich'])).toEqual(expected);
    });

    it('include `aggregate` of other days only after `enrich` of the 7 days before: they are aggregated once', () => {
      const late = [...enriched(9, 8, 7, 6, 5, 4, 3, 2, 1), 'd9.aggregate', 'd8.aggregate'];
      expect(due('bootstrap', tenDays, late)).toEqual(['d0.fetch']);
      expect(due('bootstrap', tenDays, [...late, ...enriched(0)])).toEqual([
        'd7.aggregate',
        'd6.aggregate',
        'd5.aggregate',
        'd4.aggregate',
      ]);
    });

    it('include `aggregate` of a day while days it does not look back on are not enriched', () => {
      const older = planOf({
        to: 9.5 * MS_PER_DAY,
        slices: [sliceOf({ id: 'day', from: 7 * MS_PER_DAY }), sliceOf({ id: 'older', from: -MS_PER_DAY })],
      });
      expect(due('bootstrap', older, ['day.fetch', 'day.enrich'])).toEqual(['day.aggregate', 'older.fetch']);
    });

    it('do not include `aggregate` of a day while another chunk of experiments is not enriched', () => {
      const chunks = planOf({
        to: 9.5 * MS_PER_DAY,
        slices: [sliceOf({ id: 'a', from: 1 }), sliceOf({ id: 'b', from: 1, chunk: 1 })],
      });
      expect(due('bootstrap', chunks, ['a.fetch', 'a.enrich', 'b.fetch'])).toEqual(['b.enrich']);
    });
  });
});

describe('the progress of a pipeline run', () => {
  it.each([
    ['before its plan', undefined, [], { done: 0, all: 3 }],
    ['with a plan', twoDays, ['all.plan'], { done: 1, all: 7 }],
    ['in the middle', twoDays, ['all.plan', 'a.fetch', 'a.enrich'], { done: 3, all: 7 }],
    [
      'at its end',
      twoDays,
      ['all.plan', 'a.fetch', 'a.enrich', 'b.fetch', 'b.enrich', 'all.select-forecast', 'all.select-rebuild'],
      { done: 7, all: 7 },
    ],
    ['of an older version, which published in one stage', twoDays, ['all.publish'], { done: 7, all: 7 }],
  ] as [string, Plan | undefined, string[], object][])('%s', (_, of, done, counts) => {
    expect(new RunProgress({ kind: 'delta', plan: of, done }).counts).toEqual(counts);
  });

  it('counts the stages of its kind, and days once they are selected', () => {
    const all = (rest: Omit<ProgressInputs, 'done'>) => new RunProgress({ ...rest, done: [] }).counts.all;
    // Both slices are of one day, which is forecast once.
    expect(all({ kind: 'historical', plan: twoDays })).toBe(10);
    expect(all({ kind: 'reevaluation', plan: twoDays })).toBe(4);
    const selected = { 'select-judge': [{ day: '2026-03-10' }] };
    expect(all({ kind: 'reevaluation', plan: twoDays, selected })).toBe(5);
  });
});

/** A plan of several chunks of experiments over several days, in the order of its kind. */
function chunkedPlan(kind: PipelineKind, days: number, chunks: number): Plan {
  const slices = Array.from({ length: days * chunks }, (_, i) => {
    const day = Math.floor(i / chunks);
    const from = (kind === 'bootstrap' ? days - 1 - day : day) * MS_PER_DAY;
    return sliceOf({ id: `c${i % chunks}-${from}`, chunk: i % chunks, from, to: from + MS_PER_DAY });
  });
  return planOf({ to: days * MS_PER_DAY, slices });
}

/** A number from 0 to 1, always the same ones. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

describe('the end of a stage', () => {
  it.each([
    ['historical', undefined],
    ['delta', undefined],
    ['backfill', 3],
    ['bootstrap', undefined],
  ] as [PipelineKind, number | undefined][])(
    'in a %s makes due what a new look at all markers finds, whatever the order',
    (kind, slicesAtOnce) => {
      const random = randomOf(7);
      const inputs = { kind, plan: chunkedPlan(kind, 12, 3), slicesAtOnce };
      const done = new Set(['all.plan']);
      const progress = new RunProgress({ ...inputs, done });
      const due = new Set(progress.due().map(stageName));
      for (let stages = 0; due.size > 0; stages++) {
        if (stages > 12 * 3 * 3 + 12) throw new Error('more stages than there are');
        const name = [...due][Math.floor(random() * due.size)] ?? '';
        due.delete(name);
        done.add(name);
        const [slice = '', stage] = name.split('.');
        const fresh = progress.finish({ slice, stage: stage as Stage }) ?? [];
        for (const id of fresh) due.add(stageName(id));
        const looked = new RunProgress({ ...inputs, done }).due().map(stageName);
        if (kind === 'bootstrap') expect(due.size).toBe(looked.length);
        else expect([...due].sort()).toEqual(looked.sort());
        if (due.has('all.select-forecast')) break;
      }
      expect([...due]).toEqual(['all.select-forecast']);
    },
  );

  it('implies the stages of the slice before it, which another process may have run', () => {
    const progress = new RunProgress({ kind: 'delta', plan: twoDays, done: ['all.plan'] });
    expect(progress.finish({ slice: 'a', stage: 'enrich' })).toEqual([]);
    expect(progress.due().map(stageName)).toEqual(['b.fetch']);
  });

  it('of a slice that is not in progress here shows that other processes are further', () => {
    const inputs = { kind: 'backfill', plan: twoDays, done: ['all.plan'], slicesAtOnce: 1 } as const;
    expect(new RunProgress(inputs).finish({ slice: 'b', stage: 'fetch' })).toBeUndefined();
  });

  it('that was recorded before makes nothing due', () => {
    const progress = new RunProgress({ kind: 'delta', plan: twoDays, done: ['all.plan'] });
    expect(progress.finish({ slice: 'a', stage: 'fetch' })).toEqual([{ slice: 'a', stage: 'enrich' }]);
    expect(progress.finish({ slice: 'a', stage: 'fetch' })).toEqual([]);
  });

  it('of the last selected day completes the run', () => {
    const progress = new RunProgress({
      kind: 'delta',
      plan: plan(),
      done: ['all.plan', 'all.select-forecast', 'all.select-rebuild'],
      selected: { 'select-forecast': [], 'select-rebuild': [{ day: '2026-03-10' }] },
    });
    expect(progress.isComplete).toBe(false);
    expect(progress.finish({ slice: 'day-20260310', stage: 'rebuild' })).toEqual([]);
    expect(progress.isComplete).toBe(true);
  });

  it('of a forecast implies those of the days before, which another process may have run', () => {
    const days = ['2026-03-08', '2026-03-09', '2026-03-10', '2026-03-11'].map((day) => ({ day }));
    const progress = new RunProgress({
      kind: 'delta',
      plan: plan(),
      done: ['all.plan', 'all.select-forecast'],
      selected: { 'select-forecast': days },
    });
    expect(progress.due().map(stageName)).toEqual(['day-20260308.forecast']);
    const next = progress.finish({ slice: 'day-20260310', stage: 'forecast' });
    expect(next?.map(stageName)).toEqual(['day-20260311.forecast']);
    expect(progress.finish({ slice: 'day-20260308', stage: 'forecast' }) ?? []).toEqual([]);
  });

  it('of a stage of the whole run must be read from the store', () => {
    const progress = new RunProgress({ kind: 'delta', plan: plan(), done: ['all.plan'] });
    expect(progress.finish({ slice: 'all', stage: 'select-rebuild' })).toBeUndefined();
  });
});
