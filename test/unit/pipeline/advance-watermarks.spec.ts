import type { PipelineKind } from '../../../src/domain/model.js';
import {
  answeredEverywhere,
  movedWatermarks,
  moveWatermarks,
} from '../../../src/pipeline/advance-watermarks.js';
import type { FetchResult, Plan } from '../../../src/pipeline/stage-contracts.js';
import { readWatermarks, type Watermarks } from '../../../src/state/watermarks.js';
import { MemoryStore } from '../../support/memory-store.js';
import { answersOf, planOf, sliceOf } from '../../support/plan.js';

const FROM = 1_000;
const TO = 2_000;
const chunk = (experiment_ids: string[], from = FROM) => ({
  experiment_ids,
  from,
  sweep: false,
  observed_at: 0,
});
const plan = planOf({
  from: FROM,
  to: TO,
  chunks: [chunk(['1', '2']), chunk(['3'], 500)],
  slices: [
    sliceOf({ id: 'a', chunk: 0 }),
    sliceOf({ id: 'b', chunk: 0, last: true }),
    sliceOf({ id: 'c', chunk: 1, last: true }),
  ],
});
const fetched = (answered: Record<string, string[]>): Map<string, FetchResult> =>
  new Map(Object.entries(answered).map(([id, ids]) => [id, answersOf({ answered: ids })]));
const ALL = fetched({ a: ['1', '2'], b: ['1', '2'], c: ['3'] });

describe('the experiments that answered', () => {
  it.each([
    ['in all slices of their chunk', ALL, ['1', '2', '3']],
    ['but one in one slice', fetched({ a: ['1', '2'], b: ['1'], c: ['3'] }), ['1', '3']],
    ['but not in a slice that was never fetched', fetched({ a: ['1', '2'], c: ['3'] }), ['3']],
    ['in the slice of another chunk', fetched({ a: ['1', '2', '3'], b: ['1', '2', '3'], c: [] }), ['1', '2']],
    ['not at all', new Map(), []],
  ] as [string, Map<string, FetchResult>, string[]][])('%s', (_, answers, expected) => {
    expect(answeredEverywhere(plan, answers)).toEqual(expected);
  });

  it('of a chunk without slices are none: nobody asked', () => {
    expect(answeredEverywhere(planOf({ chunks: [chunk(['1'])] }), new Map())).toEqual([]);
  });
});

describe('a watermark', () => {
  const moved = (current: Watermarks, kind: PipelineKind = 'delta', answers = ALL, made: Plan = plan) =>
    movedWatermarks(current, kind, made, answers);

  it.each([
    ['within the window moves to its end', { 1: 1_500 }, { 1: TO }],
    ['at the start of the window moves', { 1: FROM }, { 1: TO }],
    ['before the window stays: what lies between was not asked', { 1: FROM - 1 }, { 1: FROM - 1 }],
    ['of an experiment that lagged is judged by its own start', { 3: 500 }, { 3: TO }],
    ['before the start of its own chunk stays', { 3: 499 }, { 3: 499 }],
    ['after the window does not move back', { 1: TO + 1 }, { 1: TO + 1 }],
    ['of an experiment outside the plan stays', { 9: 1_500 }, { 9: 1_500 }],
  ] as [string, Watermarks, Watermarks][])('%s', (_, current, expected) => {
    expect(moved(current)).toMatchObject(expected);
  });

  it('of an experiment that did not answer stays', () => {
    const answers = fetched({ a: ['1', '2'], b: ['2'], c: [] });
    expect(moved({ 1: 1_500, 2: 1_500 }, 'delta', answers)).toEqual({ 1: 1_500, 2: TO });
  });

  it.each([
    ['delta', true],
    ['backup', true],
    ['historical', true],
    ['bootstrap', true],
    ['backfill', false],
  ] as [PipelineKind, boolean][])('the first one: a %s makes it: %s', (kind, makes) => {
    expect(moved({}, kind)).toEqual(makes ? { 1: TO, 2: TO, 3: TO } : {});
  });

  it('is moved by a backfill that joins on to it', () => {
    expect(moved({ 1: 1_500, 2: 900 }, 'backfill')).toEqual({ 1: TO, 2: 900 });
  });

  it('is kept in the store, and moved once however often it is settled', async () => {
    const store = new MemoryStore();
    expect(await readWatermarks(store)).toEqual({});
    await moveWatermarks(store, 'delta', plan, ALL);
    await moveWatermarks(store, 'delta', plan, ALL);
    expect(await readWatermarks(store)).toEqual({ 1: TO, 2: TO, 3: TO });
    expect(store.puts).toBe(1);
  });
});
