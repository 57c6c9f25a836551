import type { PipelineKind } from '../../../src/domain/model.js';
import {
  advancedWatermarks,
  advanceWatermarks,
  completelyFetched,
} from '../../../src/pipeline/advance-watermarks.js';
import type { FetchResult } from '../../../src/pipeline/stage-contracts.js';
import { readWatermarks, type Watermarks } from '../../../src/state/watermarks.js';
import { MemoryStore } from '../../support/memory-store.js';
import { fetchResultOf, planOf, sliceOf } from '../../support/stage-results.js';

const FROM = 1_000;
const TO = 2_000;
const chunk = (experiment_ids: string[], from = FROM) => ({
  experiment_ids,
  from,
  sweep: false,
  observed_at: 0,
  never_ended: true,
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
  new Map(Object.entries(answered).map(([id, ids]) => [id, fetchResultOf({ answered: ids })]));
const ALL = fetched({ a: ['1', '2'], b: ['1', '2'], c: ['3'] });

describe('the completely fetched experiments', () => {
  it.each([
    ['are those that MLflow returned in all slices of their chunk', ALL, ['1', '2', '3']],
    [
      'do not include one that is missing in a slice',
      fetched({ a: ['1', '2'], b: ['1'], c: ['3'] }),
      ['1', '3'],
    ],
    [
      'do not include those of a chunk with a slice that was not fetched',
      fetched({ a: ['1', '2'], c: ['3'] }),
      ['3'],
    ],
    [
      'do not include one that was returned in a slice of another chunk only',
      fetched({ a: ['1', '2', '3'], b: ['1', '2', '3'], c: [] }),
      ['1', '2'],
    ],
    ['are none if nothing was fetched', new Map(), []],
  ] as [string, Map<string, FetchResult>, string[]][])('%s', (_, results, expected) => {
    expect(completelyFetched(plan, results)).toEqual(expected);
  });

  it('do not include those of a chunk without slices', () => {
    expect(completelyFetched(planOf({ chunks: [chunk(['1'])] }), new Map())).toEqual([]);
  });
});

describe('a watermark', () => {
  const advanced = (current: Watermarks, kind: PipelineKind = 'delta', results = ALL) =>
    advancedWatermarks(current, kind, plan, results);

  it.each([
    ['within the window advances to its end', { 1: 1_500 }, { 1: TO }],
    ['at the start of the window advances', { 1: FROM }, { 1: TO }],
    ['before the window stays: the time between was not fetched', { 1: FROM - 1 }, { 1: FROM - 1 }],
    ['at the start of the window of its own chunk advances', { 3: 500 }, { 3: TO }],
    ['before the window of its own chunk stays', { 3: 499 }, { 3: 499 }],
    ['after the window does not go back', { 1: TO + 1 }, { 1: TO + 1 }],
    ['of an experiment outside the plan stays', { 9: 1_500 }, { 9: 1_500 }],
  ] as [string, Watermarks, Watermarks][])('%s', (_, current, expected) => {
    expect(advanced(current)).toMatchObject(expected);
  });

  it('of an experiment that was not completely fetched stays', () => {
    const results = fetched({ a: ['1', '2'], b: ['2'], c: [] });
    expect(advanced({ 1: 1_500, 2: 1_500 }, 'delta', results)).toEqual({ 1: 1_500, 2: TO });
  });

  it.each([
    ['delta', true],
    ['backup', true],
    ['historical', true],
    ['bootstrap', true],
    ['backfill', false],
  ] as [PipelineKind, boolean][])('of a new experiment after a %s is set: %s', (kind, isSet) => {
    expect(advanced({}, kind)).toEqual(isSet ? { 1: TO, 2: TO, 3: TO } : {});
  });

  it('advances after a backfill that leaves no gap', () => {
    expect(advanced({ 1: 1_500, 2: 900 }, 'backfill')).toEqual({ 1: TO, 2: 900 });
  });

  it('is stored once, however often it is advanced to the same time', async () => {
    const store = new MemoryStore();
    expect(await readWatermarks(store)).toEqual({});
    await advanceWatermarks(store, 'delta', plan, ALL);
    await advanceWatermarks(store, 'delta', plan, ALL);
    expect(await readWatermarks(store)).toEqual({ 1: TO, 2: TO, 3: TO });
    expect(store.puts).toBe(1);
  });
});
