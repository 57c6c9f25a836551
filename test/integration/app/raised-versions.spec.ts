import { rm } from 'node:fs/promises';
import { TrackingServer } from '../../../src/demo/tracking-server.js';
import type { HealthReport } from '../../../src/health/health-report.js';
import { readPipelineRun } from '../../../src/pipeline/pipeline-run.js';
import { readKindState } from '../../../src/state/kind-state.js';
import { Processes } from '../../../src/state/processes.js';
import { raiseVersions } from '../../../src/state/raise-versions.js';
import { readRulebook } from '../../../src/state/rulebook.js';
import {
  FIRST_VERSIONS,
  OWN_VERSIONS,
  SUPPORTED_VERSIONS,
  type Versions,
} from '../../../src/state/versions.js';
import { readFooter } from '../../../src/storage/footer.js';
import { DERIVED_DATASETS } from '../../../src/storage/keys.js';
import type { ObjectStore } from '../../../src/storage/object-store.js';
import { catalog, KILLED_AT, LATE_DAY, SETTINGS, STEPS } from '../../fixtures/scenario.js';
import { unpackFixture } from '../../support/fixture-store.js';
import { enqueued, HeldStore } from '../../support/held-work.js';
import { type OpenService, openService } from '../../support/open-service.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAYS = ['2026/03/10', '2026/03/09', '2026/03/08', '2026/03/07'];
const runsKey = (day: string) => `runs/${day}/part-0.parquet`;

let mlflow: TrackingServer;
let folder: string;
let now: number;
/** Keys of `runs` in the order of their puts. */
let puts: string[];
/** Puts of this key fail. */
let failingKey: string | undefined;
let service: OpenService | undefined;
let held: HeldStore;

beforeEach(async () => {
  now = KILLED_AT + 5 * MINUTE;
  puts = [];
  failingKey = undefined;
  held = new HeldStore();
  mlflow = await TrackingServer.start(() => now);
  for (const happens of Object.values(STEPS)) happens(mlflow);
  folder = await unpackFixture('0.1');
  // The versions are raised on a store whose work is done.
  const older = await open(FIRST_VERSIONS);
  const finished = older.finished('historical-1');
  await older.engine.dispatch();
  await finished;
  await close();
  puts = [];
});
afterEach(async () => {
  await close();
  await mlflow.close();
  await rm(folder, { recursive: true, force: true });
});

async function close(): Promise<void> {
  await service?.close();
  service = undefined;
}

const observed = (store: ObjectStore): ObjectStore =>
  new Proxy(store, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (name !== 'put') return typeof value === 'function' ? value.bind(target) : value;
      return async (...parameters: Parameters<ObjectStore['put']>) => {
        const [key] = parameters;
        if (key === failingKey) throw new Error('killed');
        if (key.startsWith('runs/')) puts.push(key);
        return target.put(...parameters);
      };
    },
  });

/** A process that supports these versions, ten minutes after the last one. */
async function open(supported: Versions): Promise<OpenService> {
  now += 10 * MINUTE;
  service = await openService({
    trackingUri: mlflow.uri,
    clock: () => now,
    folder,
    catalog: catalog(),
    http: true,
    env: { ...SETTINGS, ENRICHMENT_CONCURRENCY: '1', STAGE_TRIES: '2' },
    wrapStore: (store) => observed(held.wrap(store)),
    overrides: new Map([[SUPPORTED_VERSIONS, supported]]),
  });
  return service;
}

/** Raises the versions, if there are newer ones, and judges all days again, as a scheduler does at its start. */
async function startWork({ app, resources: { store }, run }: OpenService) {
  await raiseVersions(store, app.get(Processes), now);
  return run('reevaluation');
}

async function schemasOf({ resources: { store, duck } }: OpenService): Promise<Record<string, string>> {
  const schemas: Record<string, string> = {};
  for (const dataset of DERIVED_DATASETS) {
    for await (const { key } of store.list(`${dataset}/`)) {
      const file = (await store.fetch(key))?.file ?? '';
      schemas[key] = (await duck.session((session) => readFooter(session, file, 'schema_version'))) ?? 'none';
    }
  }
  return schemas;
}

/** The status and limit of accuracy of each run, by day. */
const judgedRows = async (from: OpenService) =>
  Promise.all(
    DAYS.map((day) =>
      from.rows('enriched_metrics', day, 'run_id, critical_threshold, status', "metric_name = 'accuracy'"),
    ),
  );
const health = async (of: OpenService) => (await of.request('GET', '/health')).json as HealthReport;

it('a raise reaches every stored day, the newest first, each judged by the rules of its day', async () => {
  const older = await open(FIRST_VERSIONS);
  await startWork(older);
  const judged = await judgedRows(older);
  expect(
    judged.map((rows) => new Set(rows.map((row) => Reflect.get(row as object, 'critical_threshold')))),
  ).toEqual([
    new Set([0.75]),
    new Set([0.75]),
    new Set([0.75]),
    // Before the first day of the changed threshold, which a changed setting would not reach either.
    new Set([0.6]),
  ]);
  expect(new Set(Object.values(await schemasOf(older)))).toEqual(new Set(['1']));
  await close();
  puts = [];

  const newer = await open(OWN_VERSIONS);
  expect(await startWork(newer)).toMatchObject({ status: 'done' });
  expect(puts).toEqual(DAYS.map(runsKey));
  expect(new Set(Object.values(await schemasOf(newer)))).toEqual(new Set([`${OWN_VERSIONS.schema}`]));
  expect(await newer.rows('enriched_metrics', '2026/03/07', 'DISTINCT min_value')).toEqual([
    { min_value: null },
  ]);
  expect(await judgedRows(newer)).toEqual(judged);
  expect((await readRulebook(newer.resources.store))?.versions).toMatchObject({
    ...OWN_VERSIONS,
    rewritten: true,
  });
  now += HOUR;
  expect((await newer.run('reevaluation')).summary?.partitions_written).toBe(0);
});

it('a raise from rules 2 to 3 chooses child runs, on days that are rewritten and beside those that are not', async () => {
  const tagged = [...mlflow.runs.values()].find(({ tags }) => tags['mlflow.parentRunId'] !== undefined);
  if (tagged) tagged.tags['monitor.nested'] = 'count';
  const before = await open({ rules: 2, schema: 2 });
  await startWork(before);
  expect((await before.run('historical')).status).toBe('done');
  const runs = (of: OpenService, where = 'true') => of.rows('runs', '2026/03/10', '*', where);
  const total = (of: OpenService) =>
    of.rows('platform_summary', '2026/03/10', 'sum(total_runs)::INTEGER AS runs');
  const older = await runs(before);
  const [{ runs: counted = 0 } = {}] = (await total(before)) as { runs?: number }[];
  await close();

  // The oldest day is not rewritten yet.
  failingKey = runsKey('2026/03/07');
  const killed = await open(OWN_VERSIONS);
  expect(await startWork(killed)).toMatchObject({ status: 'failed' });
  await close();
  failingKey = undefined;
  const newer = await open(OWN_VERSIONS);
  expect((await newer.run('delta')).status).toBe('done');
  expect(await startWork(newer)).toMatchObject({ status: 'done' });
  expect(await runs(newer)).toEqual(
    older.map((row) => ({
      ...(row as object),
      ignored_child: false,
      ...(Reflect.get(row as object, 'parent_run_id') === null ? {} : { eligible: true }),
    })),
  );
  expect(await total(newer)).toEqual([{ runs: counted + 1 }]);
});

it('continues a rewrite that ended in the middle, and shows how far it is', async () => {
  failingKey = runsKey(LATE_DAY);
  const killed = await open(OWN_VERSIONS);
  expect(await startWork(killed)).toMatchObject({ status: 'failed' });
  // The other days are judged, their aggregates are not computed yet.
  const rewrite = { days: 4, outdated_days: 4, objects: 20, outdated_objects: 20 - 3 * 2 };
  expect((await health(killed)).versions).toEqual({ ...OWN_VERSIONS, supported: OWN_VERSIONS, rewrite });
  await close();
  const written = [...puts];
  expect(written.slice(0, 2)).toEqual(DAYS.slice(0, 2).map(runsKey));

  puts = [];
  failingKey = undefined;
  const next = await open(OWN_VERSIONS);
  expect(await startWork(next)).toMatchObject({ status: 'done' });
  expect(puts).toEqual(DAYS.map(runsKey).filter((key) => !written.includes(key)));
  now += HOUR;
  expect((await health(next)).versions).toMatchObject({ ...OWN_VERSIONS, rewrite: null });
});

it('lets a delta that begins in the middle of a rewrite end before its next day, by the new versions', async () => {
  const { engine, app, resources, finished, rows } = await open(OWN_VERSIONS);
  await raiseVersions(resources.store, app.get(Processes), now);
  let rewrite: string | undefined;
  const release = await held.holdNext('application_summary/', async () => {
    rewrite = await engine.create('reevaluation', { scheduledAt: now });
  });
  mlflow.run({ run_id: 'new', experiment_id: '1', start_time: now - MINUTE });
  now += MINUTE;
  const { sequence } = await readKindState(resources.store, 'delta');
  const delta = `delta-${sequence + 1}`;
  const arrived = enqueued(service as OpenService, 'aggregation', delta);
  await engine.create('delta', { scheduledAt: now });
  await arrived;
  release();
  for (const record of await Promise.all([finished(`${rewrite}`), finished(delta)])) {
    expect(record.status).toBe('done');
  }
  const ended = held.puts.lastIndexOf(`_state/runs/${delta}/record.json`);
  const isDay = (key: string) =>
    key.startsWith(`_state/runs/${rewrite}/done/day-`) && key.endsWith('.rebuild.json');
  expect(held.puts.slice(0, ended).filter(isDay)).toHaveLength(1);
  expect(held.puts.filter(isDay)).toHaveLength(DAYS.length);
  expect(await rows('runs', '2026/03/10', 'run_id', "run_id = 'new'")).toHaveLength(1);
});

it('after a rollback in the middle, an older process stores facts and publishes nothing, and the newer one catches up', async () => {
  failingKey = runsKey(LATE_DAY);
  const killed = await open(OWN_VERSIONS);
  await startWork(killed);
  const published = await killed.digests();
  await close();

  failingKey = undefined;
  const older = await open(FIRST_VERSIONS);
  const { store } = older.resources;
  const before = await readKindState(store, 'delta');
  mlflow.run({ run_id: 'new', experiment_id: '1', start_time: now - MINUTE });
  const delta = await older.run('delta');
  expect(delta).toMatchObject({ status: 'done', summary: { partitions_written: 0, left_to_newer: true } });
  expect(await older.rows('_base', '2026/03/10', 'run_id', "run_id = 'new'")).toHaveLength(1);
  const derived = (digests: Record<string, string>) =>
    Object.fromEntries(Object.entries(digests).filter(([key]) => !key.startsWith('_base/')));
  expect(derived(await older.digests())).toEqual(derived(published));
  // It counts as stale from then on, although the next delta finds nothing.
  expect((await older.run('delta')).summary).toMatchObject({ left_to_newer: true });
  expect((await readKindState(store, 'delta')).last_finished).toBe(before.last_finished);
  expect(await older.run('reevaluation')).toMatchObject({ status: 'failed', error: { code: 'older_rules' } });
  const { problems, versions } = await health(older);
  expect(problems).toContainEqual(expect.stringContaining('publishes nothing'));
  expect(versions).toMatchObject({ ...OWN_VERSIONS, supported: FIRST_VERSIONS });
  await close();

  const newer = await open(OWN_VERSIONS);
  expect(await startWork(newer)).toMatchObject({ status: 'done' });
  expect(await newer.rows('runs', '2026/03/10', 'run_id', "run_id = 'new'")).toHaveLength(1);
  expect(new Set(Object.values(await schemasOf(newer)))).toEqual(new Set([`${OWN_VERSIONS.schema}`]));
  expect((await newer.run('delta')).summary).toMatchObject({ partitions_written: 0 });
  expect((await readPipelineRun(newer.resources.store, delta.id))?.status).toBe('done');
});
