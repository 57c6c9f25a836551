import type { PipelineKind } from '../../../src/domain/model.js';
import {
  completePipelineRun,
  describePipelineRun,
  readOutcomes,
  summarizePipelineRun,
} from '../../../src/pipeline/complete-run.js';
import { Markers } from '../../../src/pipeline/markers.js';
import type { PipelineRun } from '../../../src/pipeline/pipeline-run.js';
import { ALL_SLICES, type Plan } from '../../../src/pipeline/stage-contracts.js';
import { mergeExperiments, readExperiments } from '../../../src/state/experiments.js';
import { addOpenMlflowRuns, readOpenMlflowRuns } from '../../../src/state/open-mlflow-runs.js';
import { EMPTY_QUERY, RULEBOOK_KEY, thresholdRowSchema } from '../../../src/state/rulebook.js';
import { unpublishedChanges } from '../../../src/state/threshold-changes.js';
import { readWatermarks } from '../../../src/state/watermarks.js';
import { MemoryStore } from '../../support/memory-store.js';
import { fetchResultOf, planOf, sliceOf } from '../../support/stage-results.js';
import { enrichResultOf } from './engine-fixture.js';

const TO = 2_000;
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
  never_ended: true,
  ...rest,
});
const onePlan = (rest: Partial<Plan> = {}): Plan =>
  planOf({ to: TO, chunks: [chunk()], slices: [sliceOf({ id: 'a', last: true })], ...rest });
const complete = async (plan: Plan, kind: PipelineKind = 'delta') => {
  const outcomes = await readOutcomes(markers, await markers.done());
  return completePipelineRun(store, { kind, id: 'delta-1' }, plan, outcomes);
};

describe('completing a published pipeline run', () => {
  it('advances the watermark and removes the MLflow runs that have ended from the open list, idempotently', async () => {
    await addOpenMlflowRuns(store, [
      { run_id: 'ended', experiment_id: '1', day: null },
      { run_id: 'running', experiment_id: '1', day: null },
    ]);
    const plan = onePlan({ open: await readOpenMlflowRuns(store) });
    await markers.put('a', 'fetch', fetchResultOf({ answered: ['1'] }));
    await markers.put('a', 'enrich', enrichResultOf({ closed: ['ended'] }));
    expect(await complete(plan)).toEqual([]);
    expect(await complete(plan)).toEqual([]);
    expect(await readWatermarks(store)).toEqual({ 1: TO });
    expect(await readOpenMlflowRuns(store)).toMatchObject([{ run_id: 'running' }]);
  });

  it('returns each denied experiment once, and keeps its watermark', async () => {
    const refused = [{ experiment_id: '1', message: '403' }];
    const plan = onePlan({ slices: [sliceOf({ id: 'a' }), sliceOf({ id: 'b', last: true })] });
    await markers.put('a', 'fetch', fetchResultOf({ refused }));
    await markers.put('b', 'fetch', fetchResultOf({ refused }));
    expect(await complete(plan)).toEqual(refused);
    expect(await readWatermarks(store)).toEqual({});
  });

  it('keeps the watermark of an experiment that another plan found unlisted', async () => {
    await mergeExperiments(store, listing('active'), 100);
    await mergeExperiments(store, [], 200);
    await markers.put('a', 'fetch', fetchResultOf({ answered: ['1'] }));
    await complete(onePlan());
    expect(await readWatermarks(store)).toEqual({});
  });

  it('does nothing after a reevaluation without threshold changes', async () => {
    expect(await complete(onePlan(), 'reevaluation')).toEqual([]);
    expect(store.puts).toBe(0);
  });

  it('records which threshold changes are published', async () => {
    const entryOf = (changed_at: number | null, critical_threshold: number) => ({
      metric_name: 'a',
      first_day: changed_at === null ? null : '2026-03-03',
      changed_at,
      metadata: null,
      thresholds: [thresholdRowSchema.parse({ metric_name: 'a', critical_threshold })],
    });
    const entries = [entryOf(null, 1), entryOf(5, 2), entryOf(9, 3)];
    const book = { version: 1, asked: EMPTY_QUERY, entries, settings: [] };
    await store.put(RULEBOOK_KEY, Buffer.from(JSON.stringify(book)));
    await complete(planOf({ changes: { after: 0, through: 5 } }), 'reevaluation');
    expect(await unpublishedChanges(store, null)).toEqual({ after: 5, through: 9 });
    // An older run that finishes later does not undo this.
    await complete(planOf({ changes: { after: 0, through: 9 } }), 'reevaluation');
    await complete(planOf({ changes: { after: 0, through: 5 } }), 'reevaluation');
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

  it('is done when the experiment was completely fetched', async () => {
    await markers.put('a', 'fetch', fetchResultOf({ answered: ['1'] }));
    await complete(sweep);
    expect(await swept()).toBe(true);
  });

  it('is not done when access to the experiment was denied', async () => {
    await markers.put('a', 'fetch', fetchResultOf({ refused: [{ experiment_id: '1', message: '403' }] }));
    await complete(sweep);
    expect(await swept()).toBe(false);
  });

  it('is not done when the lifecycle of the experiment has changed since', async () => {
    await mergeExperiments(store, listing('active'), 300);
    await markers.put('a', 'fetch', fetchResultOf({ answered: ['1'] }));
    await complete(sweep);
    expect(await swept()).toBe(false);
  });

  it('is not done by a pipeline run that does not sweep', async () => {
    await markers.put('a', 'fetch', fetchResultOf({ answered: ['1'] }));
    await complete(onePlan());
    expect(await swept()).toBe(false);
  });
});

describe('the summary of a pipeline run', () => {
  it('holds the totals of its stages', async () => {
    await markers.put(
      'a',
      'enrich',
      enrichResultOf({ runs: 2, metrics: 20, quarantined: 1, partitions_written: 2 }),
    );
    await markers.put('b', 'enrich', enrichResultOf({ runs: 3, metrics: 30, partitions_unchanged: 2 }));
    await markers.put('a', 'aggregate', { days: [], partitions_written: 3, partitions_unchanged: 0 });
    await markers.put(ALL_SLICES, 'publish', { days: [], partitions_written: 1, partitions_unchanged: 2 });
    expect(summarizePipelineRun(await readOutcomes(markers, await markers.done()))).toEqual({
      runs: 5,
      metrics: 50,
      quarantined: 1,
      partitions_written: 6,
      partitions_unchanged: 4,
    });
  });
});

describe('the description of a pipeline run', () => {
  const record: PipelineRun = {
    version: 1,
    id: 'delta-7',
    kind: 'delta',
    nominal: null,
    window: null,
    status: 'done',
    created_at: 1_000,
    finished_at: 3_540,
    error: null,
    refused: [],
    summary: { runs: 5, metrics: 50, quarantined: 1, partitions_written: 6, partitions_unchanged: 4 },
  };

  it('is one line with the totals and the duration', () => {
    expect(describePipelineRun(record)).toBe(
      'delta-7 done: 5 runs, 50 metrics, 1 quarantined, 6 partitions written, 4 unchanged, 2.5 s',
    );
  });

  it('ends with the error and the denied experiments', () => {
    const error = {
      slice: 'c0-20260310',
      stage: 'fetch',
      code: 'mlflow_unreachable',
      message: 'No response',
    } as const;
    const refused = ['1', '2'].map((experiment_id) => ({ experiment_id, message: '403' }));
    expect(describePipelineRun({ ...record, status: 'failed', error, refused, summary: null })).toBe(
      'delta-7 failed: 2.5 s; c0-20260310.fetch: No response; not read: experiments 1, 2',
    );
  });
});
