import { cp, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TrackingServer } from '../../../src/demo/tracking-server.js';
import { addDays } from '../../../src/domain/time.js';
import { Duck } from '../../../src/storage/duck.js';
import { type Dataset, partitionKey } from '../../../src/storage/keys.js';
import { type CommandResult, runInProcess } from '../../support/command.js';
import { openService } from '../../support/open-service.js';

const HOUR = 3_600_000;
const NOW = Date.parse('2026-03-10T23:30:00Z');
const TODAY = '2026-03-10';
const DAYS = ['--from', addDays(TODAY, -1), '--to', TODAY];
const CATALOG = {
  metrics: [{ metric_name: 'accuracy', higher_is_better: true, min: 0, max: 1 }],
  thresholds: [{ metric_name: 'accuracy', critical_threshold: 0.7, warning_threshold: 0.8 }],
};

let mlflow: TrackingServer;
/** Folders with a store each: `good`, and copies of it with one fault, named after the check that finds it. */
let folder: string;
let duck: Duck;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'faults-'));
  duck = await Duck.open(folder);
  mlflow = await TrackingServer.start(() => NOW);
  for (const application of ['churn', 'fraud']) {
    const { experiment_id } = mlflow.experiment(application);
    // Each application runs every 6 hours for 8 days.
    for (let start_time = NOW - HOUR; start_time > NOW - 192 * HOUR; start_time -= 6 * HOUR) {
      const metrics = [{ key: 'accuracy', value: 0.9, step: 0, timestamp: start_time }];
      mlflow.run({ experiment_id, start_time, metrics });
    }
  }
  const good = join(folder, 'good');
  await mkdir(good);
  const options = { trackingUri: mlflow.uri, clock: () => NOW, catalog: CATALOG, folder: good };
  const service = await openService(options);
  expect(await service.run('bootstrap')).toMatchObject({ status: 'done', summary: { runs: 64 } });
  await service.close();
});
afterAll(async () => {
  await mlflow.close();
  duck.close();
  await rm(folder, { recursive: true, force: true });
});

const quality = (store: string, ...more: readonly string[]): Promise<CommandResult> =>
  runInProcess(['quality', ...DAYS, ...more], {
    env: { MLFLOW_TRACKING_URI: mlflow.uri, STORAGE_DIR: join(folder, store, 'store') },
    cwd: folder,
  });

/** Replaces a published object by the rows of a statement about the view `published`. */
async function rewrite(store: string, dataset: Dataset, day: string, statement: string): Promise<void> {
  const file = join(folder, store, 'store', partitionKey(dataset, day));
  const rewritten = join(folder, 'rewritten.parquet');
  await duck.session(async (session) => {
    await session.run(`CREATE OR REPLACE TEMP VIEW published AS SELECT * FROM read_parquet('${file}')`);
    await session.run(`COPY (${statement}) TO '${rewritten}' (FORMAT parquet)`);
  });
  await rename(rewritten, file);
}

/** A fault, the check that finds it, and of what it must tell. */
interface Fault {
  readonly check: string;
  /** null: the fault is in an object and not in the records of an application. */
  readonly application: string | null;
  readonly affected: number;
  readonly sample: object;
  readonly put: (store: string) => Promise<void>;
}
const replaceValue = (store: string, value: string) =>
  rewrite(
    store,
    'enriched_metrics',
    TODAY,
    `SELECT * REPLACE (CASE WHEN application = 'churn' THEN ${value} ELSE "value" END AS "value") FROM published`,
  );

const FAULTS: Readonly<Record<string, Fault>> = {
  'null values': {
    check: 'null_values',
    application: 'churn',
    affected: 4,
    sample: { metric_name: 'accuracy' },
    put: (store) => replaceValue(store, 'NULL'),
  },
  'duplicate records': {
    check: 'duplicate_records',
    application: 'churn',
    affected: 4,
    sample: { metric_name: 'accuracy' },
    put: (store) =>
      rewrite(
        store,
        'enriched_metrics',
        TODAY,
        "FROM published UNION ALL FROM published WHERE application = 'churn'",
      ),
  },
  'stale data': {
    check: 'data_freshness',
    application: 'churn',
    affected: 1,
    sample: { usual_hours: 6, newest_run: '2026-03-08T22:00:00.000Z' },
    put: async (store) => {
      for (const day of [TODAY, addDays(TODAY, -1)]) {
        for (const dataset of ['runs', 'enriched_metrics', 'application_summary'] as const) {
          await rewrite(store, dataset, day, "FROM published WHERE application <> 'churn'");
        }
      }
    },
  },
  'a metric out of the range of its catalog': {
    check: 'metric_ranges',
    application: 'churn',
    affected: 4,
    sample: { metric_name: 'accuracy', value: 85, max: 1 },
    put: (store) => replaceValue(store, '85'),
  },
  'the wrong schema of an object': {
    check: 'schema_compliance',
    application: null,
    affected: 1,
    sample: { dataset: 'enriched_metrics', column: 'value', reason: 'is VARCHAR instead of DOUBLE' },
    put: (store) =>
      rewrite(
        store,
        'enriched_metrics',
        TODAY,
        'SELECT * REPLACE ("value"::VARCHAR AS "value") FROM published',
      ),
  },
};

interface Check {
  readonly check_name: string;
  readonly application: string | null;
  readonly passed: boolean;
  readonly affected_rows: number;
  readonly sample: readonly object[];
}

describe('`quality` on a store', () => {
  it('without faults exits with 0', async () => {
    const { code, out } = await quality('good');
    expect([code, out]).toEqual([0, expect.stringContaining('All checks pass.')]);
  });

  it.each(Object.entries(FAULTS))('with %s exits with 1 and names nothing else', async (_, fault) => {
    const store = fault.check;
    await cp(join(folder, 'good'), join(folder, store), { recursive: true });
    await fault.put(store);
    const { code, out } = await quality(store, '--json');
    expect(code).toBe(1);
    const failing = (JSON.parse(out).checks as Check[]).filter(({ passed }) => !passed);
    expect(failing.map(({ check_name, application }) => [check_name, application])).toEqual([
      [fault.check, null],
      ...(fault.application === null ? [] : [[fault.check, fault.application]]),
    ]);
    expect(failing.map(({ affected_rows }) => affected_rows)).toEqual(failing.map(() => fault.affected));
    expect(failing.at(-1)?.sample[0]).toMatchObject(fault.sample);
    const text = await quality(store);
    expect([text.code, text.out]).toEqual([1, expect.stringContaining(`Failing: ${fault.check}.`)]);
  });
});
