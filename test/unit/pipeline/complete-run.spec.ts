import type { PipelineKind } from '../../../src/domain/model.js';
import { completePipelineRun, summarizePipelineRun } from '../../../src/pipeline/complete-run.js';
import { Markers } from '../../../src/pipeline/markers.js';
import { ALL_SLICES, type EnrichResult, type Plan } from '../../../src/pipeline/stage-contracts.js';
import { mergeExperiments, readExperiments } from '../../../src/state/experiments.js';
import { addOpenMlflowRuns, readOpenMlflowRuns } from '../../../src/state/open-mlflow-runs.js';
import { EMPTY_QUERY, RULEBOOK_KEY, thresholdRowSchema } from '../../../src/state/rulebook.js';
import { unpublishedChanges } from '../../../src/state/threshold-changes.js';
import { readWatermarks } from '../../../src/state/watermarks.js';
import { MemoryStore } from '../../support/memory-store.js';
import { answersOf, planOf, sliceOf } from '../../support/plan.js';

const TO = 2_000;
const enriched = (rest: Partial<EnrichResult> = {}): EnrichResult => ({
  touched_days: [],
  runs: 0,
  metrics: 0,
  inserted: 0,
  updated: 0,
  unchanged: 0,
  superseded: 0,
  quarantined: 0,
  closed: [],
  partitions_written: 0,
  partitions_unchanged: 0,
  ...rest,
});
const listing = (lifecycle_stage: 'active' | 'deleted') => [
  { experiment_id: '1', name: 'churn', lifecycle_stage, tags: {} },
];

let store: MemoryStore;
let markers: Markers;
beforeEach(() => {
  store = new MemoryStore();
  markers = new Markers(store, 'delta-1');
});

const chunk = (rest: Partial<Plan['chunks'][number]> = {}) => ({
  experiment_ids: ['1'],
  from: 1_000,
  sweep: false,
  observed_at: 0,
  ...rest,
});
const onePlan = (rest: Partial<Plan> = {}): Plan =>
  planOf({ to: TO, chunks: [chunk()], slices: [sliceOf({ id: 'a', last: true })], ...rest });
const settle = (plan: Plan, kind: PipelineKind = 'delta') => completePipelineRun(store, kind, plan, markers);

describe('what may happen only after publishing', () => {
  it('moves the watermark and takes out the open runs that have ended', async () => {
    await addOpenMlflowRuns(store, [
      { run_id: 'ended', experiment_id: '1', day: null },
      { run_id: 'running', experiment_id: '1', day: null },
    ]);
    const plan = onePlan({ open: await readOpenMlflowRuns(store) });
    await markers.put('a', 'fetch', answersOf({ answered: ['1'] }));
    await markers.put('a', 'enrich', enriched({ closed: ['ended'] }));
    expect(await settle(plan)).toEqual([]);
    expect(await settle(plan)).toEqual([]);
    expect(await readWatermarks(store)).toEqual({ 1: TO });
    expect(await readOpenMlflowRuns(store)).toMatchObject([{ run_id: 'running' }]);
  });

  it('names each refused experiment once, and leaves its watermark', async () => {
    const refused = [{ experiment_id: '1', message: '403' }];
    const plan = onePlan({ slices: [sliceOf({ id: 'a' }), sliceOf({ id: 'b', last: true })] });
    await markers.put('a', 'fetch', answersOf({ refused }));
    await markers.put('b', 'fetch', answersOf({ refused }));
    expect(await settle(plan)).toEqual(refused);
    expect(await readWatermarks(store)).toEqual({});
  });

  it('is nothing after a reevaluation', async () => {
    expect(await settle(onePlan(), 'reevaluation')).toEqual([]);
    expect(store.puts).toBe(0);
  });

  it('notes which changes of thresholds are told', async () => {
    const put = (at: number | null, critical_threshold: number) => ({
      metric_name: 'a',
      first_day: at === null ? null : '2026-03-03',
      changed_at: at,
      metadata: null,
      thresholds: [thresholdRowSchema.parse({ metric_name: 'a', critical_threshold })],
    });
    const entries = [put(null, 1), put(5, 2), put(9, 3)];
    const book = { version: 1, asked: EMPTY_QUERY, entries, settings: [] };
    await store.put(RULEBOOK_KEY, Buffer.from(JSON.stringify(book)));
    await settle(planOf({ changes: { after: 0, through: 5 } }), 'reevaluation');
    expect(await unpublishedChanges(store, null)).toEqual({ after: 5, through: 9 });
    // An older run that ends later takes nothing back.
    await settle(planOf({ changes: { after: 0, through: 9 } }), 'reevaluation');
    await settle(planOf({ changes: { after: 0, through: 5 } }), 'reevaluation');
    expect(await unpublishedChanges(store, null)).toBeUndefined();
  });
});

describe('a sweep', () => {
  const sweep = onePlan({ chunks: [chunk({ sweep: true, observed_at: 200 })] });
  const swept = async () => (await readExperiments(store))[1]?.swept;
  beforeEach(async () => {
    await mergeExperiments(store, listing('active'), 100);
    await mergeExperiments(store, listing('deleted'), 200);
    expect(await swept()).toBe(false);
  });

  it('is done when the experiment answered in all slices', async () => {
    await markers.put('a', 'fetch', answersOf({ answered: ['1'] }));
    await settle(sweep);
    expect(await swept()).toBe(true);
  });

  it('is still to be done when the experiment was refused', async () => {
    await markers.put('a', 'fetch', answersOf({ refused: [{ experiment_id: '1', message: '403' }] }));
    await settle(sweep);
    expect(await swept()).toBe(false);
  });

  it('is to be done again when the lifecycle changed meanwhile', async () => {
    await mergeExperiments(store, listing('active'), 300);
    await markers.put('a', 'fetch', answersOf({ answered: ['1'] }));
    await settle(sweep);
    expect(await swept()).toBe(false);
  });

  it('is not done by a run that did not sweep', async () => {
    await markers.put('a', 'fetch', answersOf({ answered: ['1'] }));
    await settle(onePlan());
    expect(await swept()).toBe(false);
  });
});

describe('the summary of a run', () => {
  it('adds up what its stages did', async () => {
    await markers.put(ALL_SLICES, 'plan', onePlan({ slices: [sliceOf({ id: 'a' }), sliceOf({ id: 'b' })] }));
    await markers.put(
      'a',
      'enrich',
      enriched({ runs: 2, metrics: 20, quarantined: 1, partitions_written: 2 }),
    );
    await markers.put('b', 'enrich', enriched({ runs: 3, metrics: 30, partitions_unchanged: 2 }));
    await markers.put('a', 'aggregate', { days: [], partitions_written: 3, partitions_unchanged: 0 });
    await markers.put(ALL_SLICES, 'publish', { days: [], partitions_written: 1, partitions_unchanged: 2 });
    expect(await summarizePipelineRun(markers)).toEqual({
      runs: 5,
      metrics: 50,
      quarantined: 1,
      partitions_written: 6,
      partitions_unchanged: 4,
    });
  });
});
