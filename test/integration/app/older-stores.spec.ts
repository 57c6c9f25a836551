import { rm } from 'node:fs/promises';
import type { PlatformCurrent } from '../../../src/dashboard/contract.js';
import { TrackingServer } from '../../../src/demo/tracking-server.js';
import { listDirtyDays } from '../../../src/state/dirty-days.js';
import { readQuarantineList } from '../../../src/state/quarantine-list.js';
import { DERIVED_DATASETS, dayOfKey } from '../../../src/storage/keys.js';
import { catalog, KILLED_AT, LATE_DAY, SETTINGS, STEPS } from '../../fixtures/scenario.js';
import { fixtureVersions, unpackFixture } from '../../support/fixture-store.js';
import { type OpenService, openService } from '../../support/open-service.js';

const MINUTE = 60_000;
const versions = await fixtureVersions();

/** This release on a store that another one has written, five minutes after that one was killed. */
async function openFixture(version: string) {
  let now = KILLED_AT + 5 * MINUTE;
  const mlflow = await TrackingServer.start(() => now);
  for (const happens of Object.values(STEPS)) happens(mlflow);
  const folder = await unpackFixture(version);
  const service = await openService({
    trackingUri: mlflow.uri,
    clock: () => now,
    folder,
    catalog: catalog(),
    http: true,
    // An attempt was lost with the process that was killed.
    env: { ...SETTINGS, STAGE_TRIES: '2' },
  });
  const close = async () => {
    await service.close();
    await mlflow.close();
    await rm(folder, { recursive: true, force: true });
  };
  const pass = (minutes: number) => {
    now += minutes * MINUTE;
  };
  return { service, mlflow, pass, close };
}

const changedKeys = (before: Record<string, string>, after: Record<string, string>): string[] =>
  Object.keys({ ...before, ...after })
    .filter((key) => before[key] !== after[key])
    .sort();

/** Every row of the derived datasets as text, by key. */
async function rowsOf({ resources: { store, duck } }: OpenService): Promise<Record<string, unknown[]>> {
  const rows: Record<string, unknown[]> = {};
  for (const dataset of DERIVED_DATASETS) {
    for await (const { key } of store.list(`${dataset}/`)) {
      const file = (await store.fetch(key))?.file ?? '';
      rows[key] = await duck.session((session) =>
        session.rows(`SELECT to_json(t)::VARCHAR AS "row" FROM read_parquet($file) t`, { file }),
      );
    }
  }
  return rows;
}

it('there is a fixture of the first release', () => {
  expect(versions).toContain('0.1');
});

describe.each(versions)('the store that release %s has written', (version) => {
  let opened: Awaited<ReturnType<typeof openFixture>>;
  beforeEach(async () => {
    opened = await openFixture(version);
  });
  afterEach(() => opened.close());

  it('is shown, and its unfinished run and late facts are published without a change of anything else', async () => {
    const { service, pass } = opened;
    const { request, engine, resources } = service;
    const shown = (await request('GET', '/api/v1/platform/current')).json as PlatformCurrent;
    expect(shown.applications.map(({ application }) => application).sort()).toEqual(['churn', 'fraud']);
    const before = await service.digests();
    const finished = service.finished('historical-1');
    await engine.dispatch();
    expect(await finished).toMatchObject({ status: 'done', error: null });
    const after = await service.digests();
    const lateDay = LATE_DAY.replaceAll('/', '-');
    const changed = changedKeys(before, after);
    expect(changed).toContain(`runs/${LATE_DAY}/part-0.parquet`);
    expect(changed.filter((key) => (dayOfKey(key) ?? '') < lateDay)).toEqual([]);
    // The judged datasets of the later days do not depend on it.
    expect(changed.filter((key) => /^(runs|enriched)/.test(key) && dayOfKey(key) !== lateDay)).toEqual([]);
    const names = await service.rows<{ run_name: string }>('runs', LATE_DAY, 'run_name');
    expect(names.map(({ run_name }) => run_name)).toContain('late');

    pass(5);
    expect(await service.run('delta')).toMatchObject({ status: 'done' });
    pass(5);
    const { status, summary } = await service.run('reevaluation');
    expect({ status, written: summary?.partitions_written }).toEqual({ status: 'done', written: 0 });
    expect(changedKeys(after, await service.digests())).toEqual([]);
    expect(await listDirtyDays(resources.store)).toEqual([]);
    expect(Object.values(await readQuarantineList(resources.store))).toMatchObject([
      { run_id: 'unreadable' },
    ]);
    const changes = await service.rows('threshold_changes', '2026/03/10', 'metric_name');
    expect(changes).toEqual([{ metric_name: 'accuracy' }]);
  });

  it('gets equal rows when its published objects are lost', async () => {
    const { service } = opened;
    const finished = service.finished('historical-1');
    await service.engine.dispatch();
    expect(await finished).toMatchObject({ status: 'done' });
    const before = await rowsOf(service);
    for (const key of Object.keys(before)) await service.resources.store.delete(key);
    expect(await service.run('reevaluation')).toMatchObject({ status: 'done' });
    expect(await rowsOf(service)).toEqual(before);
  });
});
