import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { findRedisServer, startRedis } from '../../test/support/redis-server.ts';
import { findS3Server, S3_CREDENTIALS, startS3 } from '../../test/support/s3-server.ts';
import { settingsFor, startTrackingServer } from '../lib/inputs.mjs';
import { newFolder, onEnd, serviceCommand, startProgram } from '../lib/processes.mjs';
import { RunningService } from '../lib/running-service.mjs';
import { DAY, HOUR } from '../lib/runs.mjs';
import { alternate, median, medians } from '../lib/statistics.mjs';

export const title = 'start, idle, and passes over the stored days in a bucket';
export const sizes = {
  days: [365, 15],
  'runs-per-day': [20, 5],
  metrics: [20, 5],
  /** Of each request to the store. */
  'delay-ms': [10, 10],
  'idle-seconds': [60, 5],
};

const total = (counts) => Object.values(counts).reduce((sum, count) => sum + count, 0);

export async function run({ sizes, rounds, print }) {
  const { days, metrics } = sizes;
  const program = findS3Server();
  if (!program) throw new Error('versitygw is missing: bash test/support/install-versitygw.sh');
  const s3 = await startS3(program);
  onEnd(s3.stop);
  const bucket = await s3.bucket('bench');
  const now = Date.now();
  const block = {
    seed: 1,
    from: now - days * DAY + HOUR,
    to: now - HOUR,
    count: days * sizes['runs-per-day'],
    metrics,
  };
  const mlflow = await startTrackingServer({ history: block });
  const folder = await newFolder();
  const env = (endpoint, name) => ({
    ...S3_CREDENTIALS,
    S3_BUCKET: bucket,
    S3_ENDPOINT: endpoint,
    S3_FORCE_PATH_STYLE: 'true',
    STORAGE_DIR: join(folder, name),
    LOOKBACK_DAYS_HISTORICAL: '30',
    // The idle time is between two deltas.
    DELTA_SCHEDULE_MINUTES: '1440',
    ...settings,
  });
  const settings = await settingsFor(mlflow.uri, metrics);
  const history = { LOOKBACK_DAYS_HISTORICAL: String(days) };
  await serviceCommand(['run', 'bootstrap'], { ...env(s3.endpoint, 'first'), ...history });
  await serviceCommand(['run', 'delta'], env(s3.endpoint, 'first'));
  print(`${days} days are stored`);

  const proxy = await startProgram('slow-proxy.mjs', {}, ['--import', 'tsx']);
  const endpoint = await proxy.call('start', { upstream: s3.endpoint, delayMs: sizes['delay-ms'] });
  const sides = { embedded: env(endpoint, 'embedded') };
  const redisProgram = findRedisServer();
  if (redisProgram) {
    const redis = await startRedis(redisProgram);
    onEnd(redis.stop);
    sides.Redis = { ...env(endpoint, 'redis'), REDIS_URL: redis.url };
  } else print('redis-server is missing: only the embedded queue is measured');

  const firstStarts = {};
  const starts = {};
  const idle = {};
  for (const [name, settings] of Object.entries(sides)) {
    firstStarts[name] = await measureStart(settings, folder, proxy);
    print(`first start with an empty folder, ${name}: ${JSON.stringify(firstStarts[name])}`);
  }
  const functions = Object.entries(sides).map(([name, settings]) => [
    name,
    () => measureStart(settings, folder, proxy),
  ]);
  Object.assign(starts, await alternate(Object.fromEntries(functions), rounds, print));
  for (const [name, settings] of Object.entries(sides)) {
    idle[name] = await measureIdle(settings, folder, proxy, sizes['idle-seconds']);
    print(`idle, ${name}: ${JSON.stringify(idle[name])}`);
  }
  const passes = await measurePasses(sides.embedded, proxy, rounds, print);
  return resultOf({ sizes, firstStarts, starts, idle, passes });
}

/** Starts the service and waits for the pass over all days that each start makes. */
async function measureStart(settings, folder, proxy) {
  await proxy.call('take');
  const { service, seconds } = await RunningService.start(settings, folder);
  const pageRequests = total(await proxy.call('take'));
  const before = performance.now();
  await service.finished(1);
  const pass = (performance.now() - before) / 1000;
  const cpu = service.cpu();
  const requests = pageRequests + total(await proxy.call('take'));
  await service.stop();
  return { page: seconds, pageRequests, pass, cpu, requests };
}

/** CPU in a time in which no pipeline run finishes. */
async function measureIdle(settings, folder, proxy, seconds) {
  const { service } = await RunningService.start(settings, folder);
  await service.finished(1);
  for (;;) {
    await wait(Math.min(seconds, 10) * 1000);
    const runs = await service.finishedRuns();
    await proxy.call('take');
    const [cpu, start] = [service.cpu(), performance.now()];
    await wait(seconds * 1000);
    const percent = (100 * (service.cpu() - cpu)) / ((performance.now() - start) / 1000);
    const requests = total(await proxy.call('take'));
    if ((await service.finishedRuns()) !== runs) continue;
    await service.stop();
    return { percent, requestsPerMinute: (requests * 60) / seconds };
  }
}

/** The pass over all stored days, and the one over the last month, in a running service on an unchanged store. */
async function measurePasses(settings, proxy, rounds, print) {
  const service = await startProgram('service.mjs', settings);
  await service.call('open');
  const measure = async (window) => {
    await proxy.call('take');
    const { wall, cpu } = await service.call('run', { kind: 'reevaluation', ...(window ? { window } : {}) });
    return { wall, cpu, requests: total(await proxy.call('take')) };
  };
  await measure();
  const from = Math.floor(Date.now() / DAY) * DAY - 30 * DAY;
  const month = { from, to: Number.MAX_SAFE_INTEGER };
  const passes = await alternate({ hourly: () => measure(month), daily: () => measure() }, rounds, print);
  await service.stop();
  return passes;
}

function resultOf({ sizes, firstStarts, starts, idle, passes }) {
  const startRow = (name, result) => [
    name,
    result.page,
    result.pageRequests,
    result.pass,
    result.cpu,
    result.requests,
  ];
  const daily = medians(passes.daily);
  return {
    tables: [
      {
        columns: [
          'start',
          'first page, s',
          'requests until then',
          'pass over all days after it, s',
          'CPU with the pass, s',
          'requests with the pass',
        ],
        rows: [
          ...Object.entries(firstStarts).map(([name, result]) =>
            startRow(`${name}, empty STORAGE_DIR`, result),
          ),
          ...Object.entries(starts).map(([name, list]) => startRow(name, medians(list))),
        ],
      },
      {
        columns: ['idle', 'CPU, % of a core', 'requests per minute'],
        rows: Object.entries(idle).map(([name, { percent, requestsPerMinute }]) => [
          name,
          percent,
          requestsPerMinute,
        ]),
      },
      {
        columns: ['pass of a running service', 'time, s', 'CPU, s', 'requests'],
        rows: Object.entries(passes).map(([name, list]) => {
          const { wall, cpu, requests } = medians(list);
          return [name, wall, cpu, requests];
        }),
      },
    ],
    goals: [
      {
        what: 'first page',
        unit: 's',
        measured: Math.max(...Object.values(starts).map((list) => median(list.map(({ page }) => page)))),
        atMost: 2,
      },
      ...Object.entries(idle).map(([name, { percent }]) => ({
        what: `idle, ${name}`,
        unit: '% of a core',
        measured: percent,
        atMost: 2,
      })),
      { what: 'daily pass, CPU', unit: 's', measured: daily.cpu, atMost: 5 },
      { what: 'daily pass, requests', unit: '', measured: daily.requests, atMost: 100 },
    ],
    notes: [
      `${sizes.days} stored days of ${sizes['runs-per-day']} runs with ${sizes.metrics} metrics in versitygw; a proxy delays each request by ${sizes['delay-ms']} ms and counts it. Nothing changed since the last pass.`,
      'First page: from the start of the process to the first response of `/api/v1/platform/current` with status 200.',
      'Hourly pass: the days of the last month; daily pass: all stored days. Both reevaluate in a service that runs.',
    ],
    raw: { firstStarts, starts, idle, passes },
  };
}
