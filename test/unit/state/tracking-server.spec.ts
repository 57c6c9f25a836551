import { domainSettings } from '../../../src/config/settings.js';
import { dayOf } from '../../../src/domain/time.js';
import { createPlan } from '../../../src/ingestion/create-plan.js';
import type { Experiment, MlflowClient } from '../../../src/ingestion/mlflow-api.js';
import { ensurePipelineRun } from '../../../src/pipeline/pipeline-run.js';
import { assertTrackingServer, trackingServerIdentity } from '../../../src/state/tracking-server.js';
import { readWatermarks, updateWatermarks } from '../../../src/state/watermarks.js';
import { settingsWith } from '../../support/defaults.js';
import { fakeDuck } from '../../support/fake-duck.js';
import { MemoryStore } from '../../support/memory-store.js';

const NOW = Date.parse('2026-03-10T15:30:00Z');
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const experiment = (experiment_id: string, creation_time: number | null): Experiment => ({
  experiment_id,
  name: `experiment ${experiment_id}`,
  lifecycle_stage: 'active',
  tags: {},
  creation_time,
});
const OURS = [experiment('1', 7), experiment('0', 5)];
const OTHER = Buffer.from('{"version":1,"identity":"other","uri":"http://other"}');

let store: MemoryStore;
beforeEach(() => {
  store = new MemoryStore();
});
const guard = (experiments: readonly Experiment[], uri = 'http://a', allowChange = false) =>
  assertTrackingServer(store, experiments, uri, allowChange);

describe('trackingServerIdentity', () => {
  it.each([
    ['the creation time of experiment 0', OURS, 'experiment 0 of 5'],
    ['its address if experiment 0 has no creation time', [experiment('0', null)], 'http://a'],
    ['its address if the creation time of experiment 0 is 0', [experiment('0', 0)], 'http://a'],
    ['its address without experiment 0', [experiment('1', 7)], 'http://a'],
  ])('is %s', (_, experiments, identity) => {
    expect(trackingServerIdentity(experiments, 'http://a')).toBe(identity);
  });
});

describe('assertTrackingServer', () => {
  it('accepts the first server of the store under any later address', async () => {
    await guard(OURS, 'http://a');
    await guard(OURS, 'http://b');
    expect(store.puts).toBe(1);
  });

  it('rejects another server with instructions', async () => {
    await guard(OURS, 'http://a');
    const error = await guard([experiment('0', 6)], 'http://b').catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'other_source', retryable: false });
    for (const text of [
      'http://a',
      'http://b',
      'MLFLOW_TRACKING_URI',
      'STORAGE_DIR',
      'ALLOW_SOURCE_CHANGE=true',
    ]) {
      expect(error).toHaveProperty('message', expect.stringContaining(text));
    }
    await guard(OURS);
  });

  it('accepts another server if the change is allowed, and keeps it', async () => {
    await guard(OURS);
    await guard([experiment('0', 6)], 'http://b', true);
    await guard([experiment('0', 6)], 'http://b');
    await expect(guard(OURS)).rejects.toMatchObject({ code: 'other_source' });
  });
});

describe('createPlan', () => {
  const planOf = async (
    kind: 'delta' | 'reevaluation',
    { date = NOW, clock = NOW, env = {}, experiments = OURS } = {},
  ) => {
    let listed = 0;
    const client = {
      listExperiments: async () => {
        listed++;
        return { experiments, date, began: date };
      },
    } as unknown as MlflowClient;
    const record = await ensurePipelineRun(store, kind, `${kind}-1`, null, clock);
    const judging = { current: async () => domainSettings(settingsWith(env)) };
    const plan = await createPlan(
      { store, duck: fakeDuck(store, []), client, settings: settingsWith(env), clock: () => clock, judging },
      record,
    );
    return { plan, listed };
  };

  it.each([
    ['the time of the server if our clock is ahead', { date: NOW - 60_000, clock: NOW }, NOW - 60_000],
    ['our time if the clock of the server is ahead', { date: NOW + 60_000, clock: NOW }, NOW],
  ])('ends at %s', async (_, clocks, to) => {
    expect((await planOf('delta', clocks)).plan.to).toBe(to);
  });

  /** Experiment 9 is in the first list only. @returns its watermark after the second, and the plan of a third that has it again */
  async function unlistedForAnHour(others: readonly Experiment[]) {
    const listed = [...OURS, ...others];
    const experiments = [...listed, experiment('9', 9)];
    await planOf('delta', { experiments });
    await updateWatermarks(store, () => ({ 1: NOW, 9: NOW }));
    // Its last slice may have found nothing because the experiment could not be read any more.
    await planOf('delta', { experiments: listed, date: NOW + 1 });
    const watermarks = await readWatermarks(store);
    await planOf('delta', { experiments: listed, date: NOW + 2 });
    const { plan } = await planOf('delta', { experiments, date: NOW + HOUR, clock: NOW + HOUR });
    const fromOf = (id: string) =>
      plan.chunks.find(({ experiment_ids }) => experiment_ids.includes(id))?.from;
    return { watermarks, from: ['1', '9'].map(fromOf) };
  }

  it('reads the days before again of one of many experiments that was not listed for some time', async () => {
    const others = Array.from({ length: 1_000 }, (_, i) => experiment(`${100 + i}`, 9));
    const limit = NOW + 1 - 30 * DAY;
    expect(await unlistedForAnHour(others)).toEqual({
      watermarks: { 1: NOW, 9: limit },
      from: [NOW - HOUR, limit - HOUR],
    });
  });

  it('keeps the watermark of one of few experiments, which each slice lists', async () => {
    expect(await unlistedForAnHour([])).toEqual({
      watermarks: { 1: NOW, 9: NOW },
      from: [NOW - HOUR, NOW - HOUR],
    });
  });

  it('sends no request to MLflow for a reevaluation, and plans only days with base facts', async () => {
    for (const path of ['_base/2026/03/09', 'runs/2026/03/08', '_base/2026/03/10']) {
      await store.put(`${path}/part-0.parquet`, Buffer.of());
    }
    const { plan, listed } = await planOf('reevaluation');
    expect(listed).toBe(0);
    expect(plan.slices.map(({ from, to }) => [dayOf(from), dayOf(to - 1)])).toEqual([
      ['2026-03-09', '2026-03-10'],
    ]);
  });

  it('keeps passwords out of the store and of errors', async () => {
    const env = { MLFLOW_TRACKING_URI: 'http://me:hunter2@host/' };
    await planOf('delta', { env });
    for (const body of store.objects.values()) expect(body.toString()).not.toContain('hunter2');
    await store.put('_state/source.json', OTHER);
    const error = await planOf('delta', { env }).catch(String);
    expect(error).toContain('http://host');
    expect(error).not.toContain('hunter2');
  });

  it('rejects a server other than that of the store', async () => {
    await store.put('_state/source.json', OTHER);
    await expect(planOf('delta')).rejects.toMatchObject({ code: 'other_source' });
  });
});
