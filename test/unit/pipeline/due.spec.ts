import { PIPELINE_KINDS, type PipelineKind } from '../../../src/domain/model.js';
import { dueStages, progressOf, stageName } from '../../../src/pipeline/due.js';
import { ALL, type Plan, type Slice, type Stage } from '../../../src/pipeline/stages.js';
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
    expect(due(kind, one, done)).toEqual([`${ALL}.publish`]);
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

  it.each(['bootstrap', 'backfill'] as const)('is a day of a %s as soon as it is judged', (kind) => {
    expect(due(kind, twoDays, ['b.fetch', 'b.enrich'])).toEqual(['a.fetch', 'b.aggregate']);
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
