import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parquet, query } from '../lib/compare.mjs';
import { settingsFor, startTrackingServer } from '../lib/inputs.mjs';
import { newFolder, serviceCommand } from '../lib/processes.mjs';
import { RunningService } from '../lib/running-service.mjs';
import { DAY, HOUR } from '../lib/runs.mjs';
import { number, quantile } from '../lib/statistics.mjs';

export const title = 'read API, cold and warm';
export const sizes = {
  points: [
    [1_000_000, 10_000_000],
    [5_000, 20_000],
  ],
  metrics: [20, 5],
  days: [30, 4],
  /** Requests of each kind to a warm service. */
  requests: [500, 40],
};

const PAGE = '/api/v1/platform/current';
/** Requests that read Parquet for each application and metric; `metrics` and `runs` exist once per application. */
const READ = ['series', 'metrics', 'runs'];
/** A snapshot of the page older than this is refreshed: `FRESH_MS` of src/dashboard/platform-view.ts. */
const FRESH_MS = 5_000;

export async function run({ sizes, rounds, print }) {
  const rows = [];
  const goals = [];
  const raw = {};
  for (const points of sizes.points) {
    const name = `${number(points)} points`;
    const latencies = await measureStore(points, sizes, rounds, (text) => print(`${name}: ${text}`));
    raw[points] = latencies;
    for (const [what, list] of Object.entries(latencies))
      rows.push([name, what, list.length, ...[0.5, 0.95, 0.99].map((share) => quantile(list, share))]);
    for (const what of ['page, warm', 'explanation, warm', ...READ.map((each) => `${each}, warm`)])
      goals.push({
        what: `${what}, ${name}, p95`,
        unit: 'ms',
        measured: quantile(latencies[what], 0.95),
        atMost: 50,
      });
  }
  return {
    tables: [{ columns: ['store', 'request', 'samples', 'p50, ms', 'p95, ms', 'p99, ms'], rows }],
    goals,
    notes: [
      `The service itself stored the points: ${sizes.days} days of runs with ${sizes.metrics} metrics in a folder, read from the tracking server of the demo.`,
      'Series, metrics, runs: `/api/v1/series`, `/metrics` and `/runs` with their default spans (30, 14 and 30 days) of every application, series of every metric, in random order. First: the first request of each to a process whose files are local. Warm: the same again.',
      'Page: `/api/v1/platform/current`. Explanation: `/api/v1/explanation` of metrics drawn from all stored days, each once. One request at a time over a connection that is kept alive.',
      `Cold: the first request of each kind to a process that just started (the files may be in the page cache of the system). Refreshed: the page after the ${FRESH_MS / 1000} s for which a snapshot is served. The process has the role \`api\` only.`,
    ],
    raw,
  };
}

async function measureStore(points, { metrics, days, requests }, rounds, print) {
  const now = Date.now();
  const block = {
    seed: 1,
    from: now - days * DAY + HOUR,
    to: now - 60_000,
    count: Math.round(points / metrics),
    metrics,
  };
  const mlflow = await startTrackingServer({ history: block });
  const folder = await newFolder();
  const store = join(folder, 'store');
  const settings = {
    ...(await settingsFor(mlflow.uri, metrics)),
    STORAGE_DIR: store,
    LOOKBACK_DAYS_HISTORICAL: String(days),
  };
  const { wall, cpu } = await serviceCommand(['run', 'bootstrap'], settings);
  print(`stored in ${number(wall)} s with ${number(cpu)} s of CPU`);
  await mlflow.stop();
  const explanations = await choose(store, requests + rounds);
  const reads = await readPaths(store);

  const latencies = {
    'page, cold': [],
    'explanation, cold': [],
    'page, warm': [],
    'page, refreshed': [],
    'explanation, warm': [],
    ...Object.fromEntries(
      READ.flatMap((each) => [`${each}, cold`, `${each}, first`, `${each}, warm`].map((what) => [what, []])),
    ),
  };
  const api = { ...settings, ROLES: 'api' };
  for (let round = 0; round < rounds; round++) {
    const { service } = await RunningService.start(api, folder, '/health/live');
    const client = new Client(service.url);
    // While the service starts, a temporary server already responds to `/health/live`.
    await client.until(PAGE, latencies['page, cold']);
    latencies['explanation, cold'].push(await client.time(explanations.pop()));
    await client.time(PAGE);
    for (const each of READ) {
      const [first, ...rest] = reads[each];
      latencies[`${each}, cold`].push(await client.time(first));
      for (const path of rest) latencies[`${each}, first`].push(await client.time(path));
      for (const path of reads[each]) latencies[`${each}, warm`].push(await client.time(path));
    }
    for (let i = 0; i < requests / rounds; i++) {
      latencies['page, warm'].push(await client.time(PAGE));
      latencies['explanation, warm'].push(await client.time(explanations.pop()));
    }
    await wait(FRESH_MS + 100);
    latencies['page, refreshed'].push(await client.time(PAGE));
    await service.stop();
    print(`round ${round + 1} of ${rounds}`);
  }
  return latencies;
}

/** Paths of the requests of `READ` for every application, and of series for every metric, in random but repeatable order. */
async function readPaths(store) {
  const rows = await query(
    `SELECT * FROM (SELECT DISTINCT application, metric_name FROM ${parquet(store, 'enriched_metrics')})
     ORDER BY hash(application, metric_name)`,
  );
  const applications = [...new Set(rows.map(({ application }) => application))];
  const path = (name, parameters) => `/api/v1/${name}?${new URLSearchParams(parameters)}`;
  return {
    series: rows.map(({ application, metric_name: metric }) => path('series', { application, metric })),
    metrics: applications.map((application) => path('metrics', { application })),
    runs: applications.map((application) => path('runs', { application })),
  };
}

/** Paths of explanations of different metrics, in random but repeatable order. */
async function choose(store, count) {
  const rows = await query(
    `SELECT strftime(date, '%Y-%m-%d') AS day, run_id, metric_name FROM ${parquet(store, 'enriched_metrics')}
     USING SAMPLE reservoir(${Math.ceil(count * 1.1)} ROWS) REPEATABLE (1)`,
  );
  return rows.map((row) => {
    const { day, run_id, metric_name: metric } = row;
    return `/api/v1/explanation?${new URLSearchParams({ day, run_id, metric })}`;
  });
}

class Client {
  agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(url) {
    this.url = url;
  }

  async get(path) {
    const start = performance.now();
    const sent = httpRequest(this.url + path, { agent: this.agent });
    sent.end();
    const [response] = await once(sent, 'response');
    for await (const _ of response);
    return { status: response.statusCode, ms: performance.now() - start };
  }

  /** @returns the milliseconds of a request */
  async time(path) {
    const { status, ms } = await this.get(path);
    if (status !== 200) throw new Error(`${path}: HTTP ${status}`);
    return ms;
  }

  /** Adds the milliseconds of the first request that succeeds. */
  async until(path, latencies) {
    for (;;) {
      const { status, ms } = await this.get(path).catch(() => ({}));
      if (status === 200) return latencies.push(ms);
      await wait(10);
    }
  }
}
