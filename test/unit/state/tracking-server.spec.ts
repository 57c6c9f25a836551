import { createPlan } from '../../../src/ingestion/create-plan.js';
import type { Experiment, MlflowClient } from '../../../src/ingestion/mlflow-api.js';
import { ensurePipelineRun } from '../../../src/pipeline/pipeline-run.js';
import { assertTrackingServer, trackingServerIdentity } from '../../../src/state/tracking-server.js';
import { settingsWith } from '../../support/defaults.js';
import { MemoryStore } from '../../support/memory-store.js';

const NOW = Date.parse('2026-03-10T15:30:00Z');
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

describe('the identity of a tracking server', () => {
  it.each([
    ['the creation time of experiment 0', OURS, 'experiment 0 of 5'],
    ['its address, where experiment 0 has no time', [experiment('0', null)], 'http://a'],
    ['its address, where experiment 0 has time 0', [experiment('0', 0)], 'http://a'],
    ['its address, without experiment 0', [experiment('1', 7)], 'http://a'],
  ])('is %s', (_, experiments, identity) => {
    expect(trackingServerIdentity(experiments, 'http://a')).toBe(identity);
  });
});

describe('a store', () => {
  it('belongs to the first server it was used with, whatever its address is later', async () => {
    await guard(OURS, 'http://a');
    await guard(OURS, 'http://b');
    expect(store.puts).toBe(1);
  });

  it('refuses another server, and says what to do', async () => {
    await guard(OURS, 'http://a');
    const refusal = await guard([experiment('0', 6)], 'http://b').catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'other_source', retryable: false });
    for (const said of [
      'http://a',
      'http://b',
      'MLFLOW_TRACKING_URI',
      'STORAGE_DIR',
      'ALLOW_SOURCE_CHANGE=true',
    ]) {
      expect(refusal).toHaveProperty('message', expect.stringContaining(said));
    }
    await guard(OURS);
  });

  it('goes over to another server when it is told to, and stays with it', async () => {
    await guard(OURS);
    await guard([experiment('0', 6)], 'http://b', true);
    await guard([experiment('0', 6)], 'http://b');
    await expect(guard(OURS)).rejects.toMatchObject({ code: 'other_source' });
  });
});

describe('making a plan', () => {
  const made = async (kind: 'delta' | 'reevaluation', { date = NOW, clock = NOW, env = {} } = {}) => {
    let listed = 0;
    const client = {
      listExperiments: async () => {
        listed++;
        return { experiments: OURS, date, began: date };
      },
    } as unknown as MlflowClient;
    const record = await ensurePipelineRun(store, kind, `${kind}-1`, null, clock);
    const plan = await createPlan(store, client, settingsWith(env), () => clock, record);
    return { plan, listed };
  };

  it.each([
    ['the server’s clock, where ours is ahead', { date: NOW - 60_000, clock: NOW }, NOW - 60_000],
    ['our clock, where the server’s is ahead', { date: NOW + 60_000, clock: NOW }, NOW],
  ])('ends with %s', async (_, clocks, to) => {
    expect((await made('delta', clocks)).plan.to).toBe(to);
  });

  it('asks MLflow nothing to judge stored days again, and takes those of the base only', async () => {
    for (const path of ['_base/2026/03/09', 'runs/2026/03/08', '_base/2026/03/10']) {
      await store.put(`${path}/part-0.parquet`, Buffer.of());
    }
    const { plan, listed } = await made('reevaluation');
    expect(listed).toBe(0);
    expect(plan.slices.map(({ id }) => id)).toEqual(['d-20260310', 'd-20260309']);
  });

  it('puts no password into the store or into a refusal', async () => {
    const env = { MLFLOW_TRACKING_URI: 'http://me:hunter2@host/' };
    await made('delta', { env });
    for (const body of store.objects.values()) expect(body.toString()).not.toContain('hunter2');
    await store.put('_state/source.json', OTHER);
    const refusal = await made('delta', { env }).catch(String);
    expect(refusal).toContain('http://host');
    expect(refusal).not.toContain('hunter2');
  });

  it('refuses another server than that of the store', async () => {
    await store.put('_state/source.json', OTHER);
    await expect(made('delta')).rejects.toMatchObject({ code: 'other_source' });
  });
});
