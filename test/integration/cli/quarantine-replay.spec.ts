import { join } from 'node:path';
import type { FakeRun } from '../../../src/demo/fakes.js';
import type { OpenService } from '../../support/open-service.js';
import { Commands } from './commands.js';

const HOUR = 3_600_000;

let commands: Commands;
let runs: Readonly<Record<'first' | 'second' | 'third', FakeRun>>;
beforeAll(async () => {
  commands = await Commands.open();
  const { experiment_id } = commands.mlflow.experiment('fraud');
  const log = (run_id: string) =>
    // In microseconds, which is no time.
    commands.mlflow.run({ run_id, experiment_id, start_time: Date.now() * 1_000, end_time: null });
  runs = { first: log('first'), second: log('second'), third: log('third') };
  expect((await commands.run(['run', 'delta'])).code).toBe(0);
});
afterAll(() => commands.close());

/** Corrects a run in MLflow: it ended before the window of every later delta. */
function correct(run: FakeRun): void {
  run.start_time = Date.now() - 5 * HOUR;
  run.end_time = Date.now() - 4 * HOUR;
}

async function withService<T>(use: (service: OpenService) => Promise<T>): Promise<T> {
  const service = await commands.openService();
  try {
    return await use(service);
  } finally {
    await service.close();
  }
}

async function inQuarantine({ request }: OpenService): Promise<string[]> {
  const { records } = (await request('GET', '/api/v1/quarantine')).json as {
    records: { run_id: string }[];
  };
  return records.map(({ run_id }) => run_id).sort();
}

describe('`quarantine replay`', () => {
  it('reads all runs in quarantine again; without it, a delta does not read those that were corrected', async () => {
    correct(runs.first);
    expect((await commands.run(['run', 'delta'])).code).toBe(0);
    expect(await withService(inQuarantine)).toEqual(['first', 'second', 'third']);
    const { code, out } = await commands.run(['quarantine', 'replay']);
    expect(out).toContain('Runs in quarantine that are read again from MLflow: 3');
    expect(out).toMatch(/delta-\d+ done: /);
    expect(code).toBe(0);
    expect(await withService(inQuarantine)).toEqual(['second', 'third']);
  });

  it('lets a service read the runs that are named', async () => {
    correct(runs.second);
    correct(runs.third);
    await withService(async (service) => {
      const delta = service.nextFinished('delta');
      const { code, out } = await commands.run(['quarantine', 'replay', 'second', '--url', service.url]);
      expect([code, out.trim()]).toEqual([0, 'Runs in quarantine that are read again from MLflow: 1']);
      expect((await delta).status).toBe('done');
      expect(await inQuarantine(service)).toEqual(['third']);
    });
  });

  it('says that nothing is read if the runs are not in quarantine', async () => {
    const { code, out } = await commands.run(['quarantine', 'replay', 'first', 'unknown']);
    expect([code, out]).toEqual([0, expect.stringContaining('read again from MLflow: 0')]);
    expect(await withService(inQuarantine)).toEqual(['third']);
  });

  it('exits with 1 if MLflow or the service is unreachable, or no token is found', async () => {
    await withService(async ({ url }) => {
      const elsewhere = { STORAGE_DIR: join(commands.folder, 'elsewhere') };
      const refused = await commands.run(['quarantine', 'replay', '--url', url], elsewhere);
      expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('ADMIN_TOKEN')]);
    });
    const nowhere = 'http://127.0.0.1:9';
    const unreachable = await commands.run(['quarantine', 'replay', '--url', nowhere]);
    expect([unreachable.code, unreachable.err]).toEqual([1, expect.stringContaining('is unreachable')]);
    const failed = await commands.run(['quarantine', 'replay'], {
      MLFLOW_TRACKING_URI: nowhere,
      STAGE_TRIES: '1',
    });
    expect(failed.code).toBe(1);
    expect(await withService(inQuarantine)).toEqual(['third']);
  });
});
