import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TrackingServer } from '../../../src/demo/tracking-server.js';
import { addDays, dayOf } from '../../../src/domain/time.js';
import { Markers } from '../../../src/pipeline/markers.js';
import { PLATFORM, unitId } from '../../../src/pipeline/units.js';
import { dayOfKey, partOfKey } from '../../../src/storage/keys.js';
import { partOf } from '../../../src/storage/parts.js';
import { ACCURACY_CATALOG, type OpenService, openService } from '../../support/open-service.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = Date.parse('2026-03-01T15:30:00Z');
const LAST_DAY = 10;
/** Ten days are published three times. */
const LONGEST_MS = 600_000;
const VALUES = [0.7, 0.65, 0.8, 0.9, 0.75, Number.NaN, 0.1 + 0.2];
const BY_APPLICATION = [
  'runs',
  'enriched_metrics',
  'metric_timeseries',
  'metric_forecast',
  'application_summary',
  '_sums',
  '_tails',
];
/** Each row of a dataset as a text, without what depends on when a response was made. */
const ROWS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [...BY_APPLICATION, 'platform_summary', 'threshold_changes'].map((name) => [name, 't']),
  ),
  _base:
    '{run_id: t.run_id, content: t.content_digest, stage: t.lifecycle_stage, params: t.params, metrics: t.metrics}',
  quarantine: '{date: t.date, run_id: t.run_id, reason: t.reason, record: t.record}',
};

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

/** A tracking server with applications that come from runs, experiments and names, and a service that follows it. */
class Scenario {
  now = START;
  catalog: object = ACCURACY_CATALOG;
  private runs = 0;
  private readonly experiments: string[];
  private folder = '';

  private constructor(readonly mlflow: TrackingServer) {
    this.experiments = [
      mlflow.experiment('churn').experiment_id,
      mlflow.experiment('fraud', { application: 'payments' }).experiment_id,
      mlflow.experiment('pricing é😀').experiment_id,
    ];
  }

  static async open(): Promise<Scenario> {
    const scenario: Scenario[] = [];
    const mlflow = await TrackingServer.start(() => scenario[0]?.now ?? START);
    const opened = new Scenario(mlflow);
    scenario.push(opened);
    opened.folder = await mkdtemp(join(tmpdir(), 'partition-files-'));
    folders.push(opened.folder);
    return opened;
  }

  /** A process with this setting. */
  async withService<T>(files: number, work: (service: OpenService) => Promise<T>): Promise<T> {
    const service = await openService({
      trackingUri: this.mlflow.uri,
      clock: () => this.now,
      folder: this.folder,
      catalog: this.catalog,
      env: { PARTITION_FILES: `${files}`, LOOKBACK_DAYS_HISTORICAL: '4' },
    });
    try {
      return await work(service);
    } finally {
      await service.close();
    }
  }

  addRun(start_time: number, application?: string): string {
    const i = this.runs++;
    const run_id = `run${String(i).padStart(4, '0')}`;
    const own = application ?? (i % 3 === 0 ? `app-${i % 7}` : undefined);
    this.mlflow.run({
      run_id,
      experiment_id: this.experiments[i % 3] ?? '',
      start_time,
      end_time: start_time + 1_000,
      status: i % 13 === 5 ? 'FAILED' : 'FINISHED',
      metrics: ['accuracy', `loss-${i % 4}`].map((key, n) => ({
        key,
        value: VALUES[(i + n) % VALUES.length] ?? 0,
        step: n,
        timestamp: start_time,
      })),
      params: { depth: `${i % 5}` },
      tags: {
        ...(own === undefined ? {} : { application: own }),
        ...(i % 11 === 4 ? { 'mlflow.parentRunId': 'run0001' } : {}),
      },
    });
    return run_id;
  }

  change(run_id: string, changes: object): void {
    Object.assign(this.mlflow.runs.get(run_id) ?? {}, changes);
  }

  /** A day with runs at several hours, a late run, late metrics, another application, and runs that are deleted or purged. */
  addDay(): void {
    this.now += DAY;
    for (let i = 0; i < 9; i++) this.addRun(this.now - (i + 1) * HOUR);
    this.addRun(this.now - 2 * DAY - HOUR);
    const run = (back: number) => `run${String(this.runs - back).padStart(4, '0')}`;
    const accuracy = { key: 'accuracy', value: 0.5 + this.runs / 1_000, step: 0, timestamp: this.now };
    this.change(run(13), { metrics: [accuracy] });
    this.change(run(15), { tags: { application: `moved-${this.runs % 2}` } });
    this.change(run(17), { lifecycle_stage: 'deleted' });
    this.mlflow.runs.delete(run(19));
  }
}

/** Publishes ten days. @param filesOn the setting of the process on each day @returns the rows and the keys of each dataset */
async function publish(filesOn: (day: number) => number) {
  const scenario = await Scenario.open();
  try {
    for (let i = 0; i < 12; i++) scenario.addRun(START - i * 3 * HOUR);
    const published = async (service: OpenService) => {
      await done(service.run('reevaluation'));
      const rows: Record<string, string[]> = {};
      for (const [dataset, row] of Object.entries(ROWS)) rows[dataset] = await rowsOf(service, dataset, row);
      return { rows, keys: await keysOf(service) };
    };
    let day = 0;
    // A process ends when its setting is to change.
    for (;;) {
      const files = filesOn(day + 1);
      const result = await scenario.withService(files, async (service) => {
        for (day++; ; day++) {
          await publishDay(scenario, service, day);
          if (day === LAST_DAY) return published(service);
          if (filesOn(day + 1) !== files) return undefined;
        }
      });
      if (result) return result;
    }
  } finally {
    await scenario.mlflow.close();
  }
}

async function publishDay(scenario: Scenario, service: OpenService, day: number): Promise<void> {
  if (day === 1) {
    await done(service.run('bootstrap'));
    return;
  }
  scenario.addDay();
  if (day === 6) {
    const changed = { metric_name: 'accuracy', critical_threshold: 0.6, warning_threshold: 0.9 };
    scenario.catalog = { metrics: [], thresholds: [changed] };
    await service.writeCatalog(scenario.catalog);
  }
  await done(service.run('delta'));
  if (day % 3 === 0) await done(service.run('historical'));
  if (day % 6 === 0) await done(service.run('reevaluation'));
}

const done = async (run: ReturnType<OpenService['run']>) =>
  expect(await run).toMatchObject({ status: 'done', error: null });

async function rowsOf({ resources: { store, duck } }: OpenService, dataset: string, row: string) {
  const files: string[] = [];
  for await (const { key } of store.list(`${dataset}/`)) files.push((await store.fetch(key))?.file ?? '');
  if (files.length === 0) return [];
  const rows = await duck.session((session) =>
    session.rows<{ row: string }>(
      `SELECT (${row})::VARCHAR AS row FROM read_parquet($files) AS t ORDER BY 1`,
      {
        files,
      },
    ),
  );
  return rows.map((each) => each.row);
}

async function keysOf({ resources: { store } }: OpenService): Promise<Map<string, string>> {
  const etags = new Map<string, string>();
  for await (const { key, etag } of store.list('')) if (dayOfKey(key)) etags.set(key, etag);
  return etags;
}

/** How many objects a dataset has on each day. */
function partsPerDay(keys: ReadonlyMap<string, string>, dataset: string): Record<string, number> {
  const parts: Record<string, number> = {};
  for (const key of keys.keys()) {
    const day = dayOfKey(key);
    if (key.startsWith(`${dataset}/`) && day) parts[day] = (parts[day] ?? 0) + 1;
  }
  return parts;
}

/** The units that a pipeline run has rebuilt. */
async function rebuiltBy({ resources: { store } }: OpenService, id: string): Promise<string[]> {
  return [
    ...(await new Markers(store, id).results('rebuild', await new Markers(store, id).done())).keys(),
  ].sort();
}

describe('PARTITION_FILES', () => {
  it(
    'divides the rows of each day, and changes none of them',
    async () => {
      const whole = await publish(() => 1);
      const divided = await publish(() => 4);
      for (const dataset of BY_APPLICATION) {
        expect(new Set(Object.values(partsPerDay(whole.keys, dataset)))).toEqual(new Set([1]));
        expect(new Set(Object.values(partsPerDay(divided.keys, dataset)))).toEqual(new Set([4]));
      }
      expect(whole.rows.runs?.length).toBeGreaterThan(80);
      expect(whole.rows.threshold_changes?.length).toBeGreaterThan(0);
      expect(divided.rows).toEqual(whole.rows);

      // From one part to four to three: each number applies from the second day after the change on.
      const changed = await publish((day) => (day < 3 ? 1 : day < 7 ? 4 : 3));
      const [first] = Object.keys(partsPerDay(changed.keys, 'runs')).sort();
      const expected: Record<string, number> = {};
      for (let day = first ?? ''; day <= '2026-03-10'; day = addDays(day, 1)) {
        expected[day] = day < '2026-03-04' ? 1 : day < '2026-03-08' ? 4 : 3;
      }
      for (const dataset of BY_APPLICATION) expect(partsPerDay(changed.keys, dataset)).toEqual(expected);
      expect(changed.rows).toEqual(whole.rows);
    },
    LONGEST_MS,
  );

  it('makes a change rewrite only the parts of its application', async () => {
    const scenario = await Scenario.open();
    try {
      for (let i = 0; i < 40; i++) scenario.addRun(START - i * HOUR);
      await scenario.withService(4, async (service) => {
        await done(service.run('bootstrap'));
        scenario.now += HOUR;
        await done(service.run('delta'));
        const before = await keysOf(service);
        scenario.now += HOUR;
        const run_id = scenario.addRun(scenario.now - 60_000, 'app-3');
        await done(service.run('delta'));
        const after = await keysOf(service);
        const written = [...after].filter(([key, etag]) => before.get(key) !== etag).map(([key]) => key);
        const today = dayOf(scenario.now);
        const own = [`_base ${partOf(run_id, 4)}`, 'platform_summary 0'].concat(
          BY_APPLICATION.map((dataset) => `${dataset} ${partOf('app-3', 4)}`),
        );
        expect(written.map((key) => `${key.split('/')[0]} ${partOfKey(key)}`).sort()).toEqual(own.sort());
        expect(new Set(written.map(dayOfKey))).toEqual(new Set([today]));
        const id = unitId({ day: today, part: partOf('app-3', 4) });
        const platform = unitId({ day: today, part: PLATFORM });
        expect(await rebuiltBy(service, 'delta-2')).toEqual([id, platform]);
      });
    } finally {
      await scenario.mlflow.close();
    }
  });
});
