import { TrackingServer } from '../../../src/demo/tracking-server.js';
import { rounds } from '../../support/rounds.js';
import { BrokenProxy } from './broken-proxy.js';
import { firstRun, MEMORY_LIMIT } from './watched-service.js';

const start = Date.now() - 2 * 3_600_000;
let mlflow: TrackingServer;
let proxy: BrokenProxy | undefined;

beforeEach(async () => {
  mlflow = await TrackingServer.start();
});
afterEach(async () => {
  await proxy?.close();
  proxy = undefined;
  await mlflow.close();
});

const metrics = [{ key: 'accuracy', value: 0.9, step: 0, timestamp: start }];
/** MLflow accepts 6,000 characters. */
const params = (n: number, unique: string) =>
  Object.fromEntries(Array.from({ length: n }, (_, i) => [`p${i}`, `${unique} ${i} `.padEnd(6_000, 'x')]));
function application(name: string, runs = 1, paramsPerRun = 0): string {
  const { experiment_id } = mlflow.experiment(name);
  for (let i = 0; i < runs; i++) {
    mlflow.run({ experiment_id, start_time: start + i, metrics, params: params(paramsPerRun, String(i)) });
  }
  return experiment_id;
}

describe('large responses', () => {
  it('of one run beyond MAX_PAGE_MB put this run in quarantine', async () => {
    application('good');
    application('heavy', 1, rounds(6_000, 17_000));
    const { line, applications, peak } = await firstRun(
      'one run with 17,000 params of 6,000 characters',
      mlflow.uri,
    );
    expect(line).toContain('1 quarantined');
    expect(applications).toEqual(['good']);
    expect(peak).toBeLessThan(MEMORY_LIMIT);
  });

  it('of many heavy runs are read completely, within the memory limit', async () => {
    application('good');
    const runs = rounds(150, 1_000);
    application('heavy', runs, 25);
    const { line, applications, peak } = await firstRun(
      '1,000 runs with 25 params of 6,000 characters',
      mlflow.uri,
    );
    expect(line).toContain(`done: ${runs + 1} runs`);
    expect(applications).toEqual(['good', 'heavy']);
    expect(peak).toBeLessThan(MEMORY_LIMIT);
  });

  it('with dataset profiles are read completely, within the memory limit', async () => {
    application('good');
    const heavy = application('heavy', rounds(4, 80));
    const profile = 'x'.repeat(14_000_000);
    proxy = await BrokenProxy.start(mlflow.uri, (path, { experiment_ids }, text) => {
      if (path !== 'runs/search' || ![experiment_ids].flat().includes(heavy)) return undefined;
      const page = JSON.parse(text) as { runs?: { info: { experiment_id: string }; inputs?: object }[] };
      for (const run of page.runs ?? []) {
        const dataset = { name: 'd', digest: '1', source_type: 'local', source: '{}', profile };
        if (run.info.experiment_id === heavy) run.inputs = { dataset_inputs: [{ tags: [], dataset }] };
      }
      // Larger than a text may be: the service reads no more than MAX_PAGE_MB of it.
      const found = page.runs?.length ?? 0;
      const shown = { ...page, ...(page.runs ? { runs: page.runs.slice(0, 8) } : {}) };
      const body = JSON.stringify(shown);
      return { body: found > 8 ? body.slice(0, -2) : body };
    });
    const { line, applications, peak } = await firstRun('80 runs with dataset profiles of 14 MB', proxy.uri);
    expect(line).toContain(`done: ${rounds(4, 80) + 1} runs`);
    expect(applications).toEqual(['good', 'heavy']);
    expect(peak).toBeLessThan(MEMORY_LIMIT);
  });
});
