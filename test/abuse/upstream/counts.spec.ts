import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TrackingServer } from '../../../src/demo/tracking-server.js';
import { rounds } from '../../support/rounds.js';
import { firstRun, MEMORY_LIMIT } from './watched-service.js';

const start = Date.now() - 2 * 3_600_000;
let mlflow: TrackingServer;
let folder: string;

beforeEach(async () => {
  mlflow = await TrackingServer.start();
  folder = await mkdtemp(join(tmpdir(), 'counts-'));
});
afterEach(async () => {
  await mlflow.close();
  await rm(folder, { recursive: true, force: true });
});

function application(name: string, metricNames: readonly string[] = ['accuracy']): void {
  const { experiment_id } = mlflow.experiment(name);
  const metrics = metricNames.map((key) => ({ key, value: 0.9, step: 0, timestamp: start }));
  mlflow.run({ experiment_id, start_time: start, metrics });
}
const listings = () => mlflow.requests.filter(({ path }) => path === 'experiments/search').length;

describe('many experiments', () => {
  const include = { EXPERIMENT_INCLUDE: 'good*' };

  it('are listed once at the start and once per pipeline run', async () => {
    const experiments = rounds(20_000, 100_000);
    for (let i = 0; i < experiments; i++) mlflow.experiment(`other ${i}`);
    for (let i = 0; i < 120; i++) application(`good ${i}`);
    const { applications, peak } = await firstRun('100,000 experiments', mlflow.uri, include);
    expect(applications).toHaveLength(120);
    expect(listings()).toBeLessThanOrEqual(2 * Math.ceil((experiments + 121) / 1_000) + 10);
    expect(peak).toBeLessThan(MEMORY_LIMIT);
  });

  it('with long tags are read in smaller pages', async () => {
    const tag = 'x'.repeat(5_000);
    const tags = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`t${i}`, tag]));
    for (let i = 0; i < rounds(400, 1_200); i++) mlflow.experiment(`other ${i}`, tags);
    application('good');
    const { applications, peak } = await firstRun('a list of experiments of 120 MB', mlflow.uri, include);
    expect(applications).toEqual(['good']);
    expect(peak).toBeLessThan(MEMORY_LIMIT);
  });

  it('in a list that repeats its page token end the pipeline run after a few requests', async () => {
    application('good');
    const body = '{"experiments": [], "next_page_token": "same"}';
    // The first list is that of the start.
    mlflow.intercept = ({ path }) =>
      path === 'experiments/search' && listings() > 1 ? { status: 200, body } : undefined;
    const { line } = await firstRun('a repeated token of experiments', mlflow.uri);
    expect(line).toContain('the same page token of experiments twice');
    expect(listings()).toBeLessThan(20);
  });
});

describe('large catalogs', () => {
  const withCatalog = async (rows: object[]) => {
    const file = join(folder, 'catalog.json');
    await writeFile(file, JSON.stringify({ metrics: [], thresholds: rows }));
    return { METRICS_API_URL: `file:${file}`, THRESHOLDS_API_URL: `file:${file}` };
  };
  const limits = { critical_threshold: 0.5, warning_threshold: 0.6 };

  it('of 100,000 rows are read', async () => {
    application('good');
    const rows = Array.from({ length: rounds(20_000, 100_000) }, (_, i) => ({
      metric_name: `m${i}`,
      ...limits,
    }));
    const env = await withCatalog([{ metric_name: 'accuracy', ...limits }, ...rows]);
    const { line, applications, peak } = await firstRun('a JSON catalog of 100,000 rows', mlflow.uri, env);
    expect(line).toContain('done: 1 runs');
    expect(applications).toEqual(['good']);
    expect(peak).toBeLessThan(MEMORY_LIMIT);
  });

  it('of 5,000 patterns judge 100,000 metric names', async () => {
    const names = Array.from({ length: rounds(10_000, 100_000) }, (_, i) => `team${i % 97}/metric_${i}`);
    application('many', names);
    application('good');
    const patterns = Array.from({ length: rounds(1_000, 5_000) }, (_, i) => ({
      metric_name: `*_${i}*`,
      ...limits,
    }));
    const { line, applications, peak } = await firstRun(
      '100,000 metric names and 5,000 patterns',
      mlflow.uri,
      await withCatalog(patterns),
    );
    expect(line).toContain(`done: 2 runs, ${names.length + 1} metrics`);
    expect(applications).toEqual(['good', 'many']);
    expect(peak).toBeLessThan(MEMORY_LIMIT);
  });
});
