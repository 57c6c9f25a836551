import { PIPELINE_KINDS, type PipelineKind } from '../../../src/domain/model.js';
import { MS_PER_DAY } from '../../../src/domain/time.js';
import { dueStages, progressOf, stageName } from '../../../src/pipeline/due-stages.js';
import { ALL_SLICES, type Plan, type Slice, type Stage } from '../../../src/pipeline/stage-contracts.js';
import { planOf, sliceOf } from '../../support/plan.js';

const plan = (...slices: Slice[]): Plan => planOf({ slices });
const due = (kind: PipelineKind, made: Plan | undefined, done: readonly string[]): string[] =>
  dueStages(kind, made, new Set(done)).map(stageName);
const twoDays = plan(sliceOf({ id: 'a', from: 1 }), sliceOf({ id: 'b', from: 2 }));

describe('what is due', () => {
  it.each(PIPELINE_KINDS)('of a %s without a plan is the plan', (kind) => {
    expect(due(kind, undefined, [])).toEqual(['all.plan']);
  });

  it.each(PIPELINE_KINDS)('of a %s without slices is to publish, then nothing', (kind) => {
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
  ] as [PipelineKind, Stage[]][])('of a %s goes through %j, then to publish', (kind, stages) => {
    const one = plan(sliceOf({ id: 'a' }));
    const done = ['all.plan'];
    for (const stage of stages) {
      expect(due(kind, one, done)).toEqual([`a.${stage}`]);
      done.push(`a.${stage}`);
    }
    expect(due(kind, one, done)).toEqual([`${ALL_SLICES}.publish`]);
    expect(due(kind, one, [...done, 'all.publish'])).toEqual([]);
  });

  it('is the next stage of every slice, in the order of the plan', () => {
    expect(due('delta', twoDays, ['all.plan', 'b.fetch'])).toEqual(['a.fetch', 'b.enrich']);
  });

  it('is not to publish while a slice is under way', () => {
    expect(due('delta', twoDays, ['a.fetch', 'a.enrich', 'b.fetch'])).toEqual(['b.enrich']);
  });

  it('is a stage again whose marker is gone: a slice whose pages were lost is fetched again', () => {
    expect(due('delta', plan(sliceOf({ id: 'a' })), ['a.enrich'])).toEqual(['a.fetch']);
  });

  it('is a day of a historical run only after all days before it: they are what it looks back on', () => {
    const fetched = ['a.fetch', 'b.fetch'];
    expect(due('historical', twoDays, [...fetched, 'b.enrich'])).toEqual(['a.enrich']);
    expect(due('historical', twoDays, [...fetched, 'b.enrich', 'a.enrich'])).toEqual([
      'a.aggregate',
      'b.aggregate',
    ]);
  });

  it('is a day of a historical run only when all its slices are in: it is rebuilt once', () => {
    const oneDay = plan(sliceOf({ id: 'a', from: 1 }), sliceOf({ id: 'b', from: 1, chunk: 1 }));
    expect(due('historical', oneDay, ['a.fetch', 'a.enrich', 'b.fetch'])).toEqual(['b.enrich']);
  });

  it('is a day of a backfill as soon as it is judged', () => {
    expect(due('backfill', twoDays, ['b.fetch', 'b.enrich'])).toEqual(['a.fetch', 'b.aggregate']);
  });

  describe('of a bootstrap', () => {
    /** Ten days, the newest first, the last of them half over. */
    const tenDays = planOf({
      to: 9.5 * MS_PER_DAY,
      slices: Array.from({ length: 10 }, (_, i) => sliceOf({ id: `d${9 - i}`, from: (9 - i) * MS_PER_DAY })),
    });
    const judged = (...days: number[]) => days.flatMap((day) => [`d${day}.fetch`, `d${day}.enrich`]);

    it('are the two newest days as soon as they are judged', () => {
      expect(due('bootstrap', tenDays, judged(9, 8))).toEqual([
        'd9.aggregate',
        'd8.aggregate',
        'd7.fetch',
        'd6.fetch',
      ]);
    });

    it('is every other day when the 7 before it are judged too: it is made once', () => {
      const late = [...judged(9, 8, 7, 6, 5, 4, 3, 2, 1), 'd9.aggregate', 'd8.aggregate'];
      expect(due('bootstrap', tenDays, late)).toEqual(['d0.fetch']);
      expect(due('bootstrap', tenDays, [...late, ...judged(0)])).toEqual([
        'd7.aggregate',
        'd6.aggregate',
        'd5.aggregate',
        'd4.aggregate',
      ]);
    });

    it('is no day that waits for one on which it does not look back', () => {
      const older = planOf({
        to: 9.5 * MS_PER_DAY,
        slices: [sliceOf({ id: 'day', from: 7 * MS_PER_DAY }), sliceOf({ id: 'older', from: -MS_PER_DAY })],
      });
      expect(due('bootstrap', older, ['day.fetch', 'day.enrich'])).toEqual(['day.aggregate', 'older.fetch']);
    });

    it('is no day of which another chunk of experiments is not judged yet', () => {
      const chunks = planOf({
        to: 9.5 * MS_PER_DAY,
        slices: [sliceOf({ id: 'a', from: 1 }), sliceOf({ id: 'b', from: 1, chunk: 1 })],
      });
      expect(due('bootstrap', chunks, ['a.fetch', 'a.enrich', 'b.fetch'])).toEqual(['b.enrich']);
    });
  });
});

describe('the progress of a run', () => {
  it.each([
    ['before its plan', undefined, [], { done: 0, all: 2 }],
    ['with a plan', twoDays, ['all.plan'], { done: 1, all: 6 }],
    ['under way', twoDays, ['all.plan', 'a.fetch', 'a.enrich'], { done: 3, all: 6 }],
    [
      'at its end',
      twoDays,
      ['all.plan', 'a.fetch', 'a.enrich', 'b.fetch', 'b.enrich', 'all.publish'],
      { done: 6, all: 6 },
    ],
  ] as [string, Plan | undefined, string[], object][])('%s', (_, made, done, progress) => {
    expect(progressOf('delta', made, new Set(done))).toEqual(progress);
  });

  it('counts the stages of the kind', () => {
    expect(progressOf('historical', twoDays, new Set()).all).toBe(8);
    expect(progressOf('reevaluation', twoDays, new Set()).all).toBe(4);
  });
});
