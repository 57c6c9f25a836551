import { PIPELINE_KINDS, type PipelineKind } from '../../../src/domain/model.js';
import { MS_PER_DAY } from '../../../src/domain/time.js';
import { dueStages, progressOf, stageName } from '../../../src/pipeline/due-stages.js';
import { ALL_SLICES, type Plan, type Slice, type Stage } from '../../../src/pipeline/stage-contracts.js';
import { planOf, sliceOf } from '../../support/stage-results.js';

const plan = (...slices: Slice[]): Plan => planOf({ slices });
const due = (kind: PipelineKind, of: Plan | undefined, done: readonly string[]): string[] =>
  dueStages(kind, of, new Set(done)).map(stageName);
const twoDays = plan(sliceOf({ id: 'a', from: 1 }), sliceOf({ id: 'b', from: 2 }));

describe('the due stages', () => {
  it.each(PIPELINE_KINDS)('of a %s without a plan are `plan`', (kind) => {
    expect(due(kind, undefined, [])).toEqual(['all.plan']);
  });

  it.each(PIPELINE_KINDS)('of a %s without slices are `publish`, then none', (kind) => {
    expect(due(kind, plan(), ['all.plan'])).toEqual(['all.publish']);
    expect(due(kind, plan(), ['all.plan', 'all.publish'])).toEqual([]);
  });

  it.each([
    ['delta', ['fetch', 'enrich']],
    ['backup', ['fetch', 'enrich']],
    ['historical', ['fetch', 'enrich', 'aggregate']],
    ['backfill', ['fetch', 'enrich', 'aggregate']],
    ['bootstrap', ['fetch', 'enrich', 'aggregate']],
    ['reevaluation', ['enrich']],
  ] as [PipelineKind, Stage[]][])(
    'of a slice of a %s are %j one after another, then `publish`',
    (kind, stages) => {
      const one = plan(sliceOf({ id: 'a' }));
      const done = ['all.plan'];
      for (const stage of stages) {
        expect(due(kind, one, done)).toEqual([`a.${stage}`]);
        done.push(`a.${stage}`);
      }
      expect(due(kind, one, done)).toEqual([`${ALL_SLICES}.publish`]);
      expect(due(kind, one, [...done, 'all.publish'])).toEqual([]);
    },
  );

  it('are the next stage of every slice, in the order of the plan', () => {
    expect(due('delta', twoDays, ['all.plan', 'b.fetch'])).toEqual(['a.fetch', 'b.enrich']);
  });

  it('do not include `publish` while a slice is unfinished', () => {
    expect(due('delta', twoDays, ['a.fetch', 'a.enrich', 'b.fetch'])).toEqual(['b.enrich']);
  });

  it('include a stage again whose marker was removed: a slice whose raw pages are lost is fetched again', () => {
    expect(due('delta', plan(sliceOf({ id: 'a' })), ['a.enrich'])).toEqual(['a.fetch']);
  });

  it('of a historical run include `aggregate` of a day only after `enrich` of the days it looks back on', () => {
    const fetched = ['a.fetch', 'b.fetch'];
    expect(due('historical', twoDays, [...fetched, 'b.enrich'])).toEqual(['a.enrich']);
    expect(due('historical', twoDays, [...fetched, 'b.enrich', 'a.enrich'])).toEqual([
      'a.aggregate',
      'b.aggregate',
    ]);
  });

  it('of a historical run include `aggregate` of a day only after `enrich` of all its slices: it is rebuilt once', () => {
    const oneDay = plan(sliceOf({ id: 'a', from: 1 }), sliceOf({ id: 'b', from: 1, chunk: 1 }));
    expect(due('historical', oneDay, ['a.fetch', 'a.enrich', 'b.fetch'])).toEqual(['b.enrich']);
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
    ['before its plan', undefined, [], { done: 0, all: 2 }],
    ['with a plan', twoDays, ['all.plan'], { done: 1, all: 6 }],
    ['in the middle', twoDays, ['all.plan', 'a.fetch', 'a.enrich'], { done: 3, all: 6 }],
    [
      'at its end',
      twoDays,
      ['all.plan', 'a.fetch', 'a.enrich', 'b.fetch', 'b.enrich', 'all.publish'],
      { done: 6, all: 6 },
    ],
  ] as [string, Plan | undefined, string[], object][])('%s', (_, of, done, progress) => {
    expect(progressOf('delta', of, new Set(done))).toEqual(progress);
  });

  it('counts the stages of its kind', () => {
    expect(progressOf('historical', twoDays, new Set()).all).toBe(8);
    expect(progressOf('reevaluation', twoDays, new Set()).all).toBe(4);
  });
});
