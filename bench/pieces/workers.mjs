import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { findRedisServer, startRedis } from '../../test/support/redis-server.ts';
import { findS3Server, S3_CREDENTIALS, startS3 } from '../../test/support/s3-server.ts';
import { settingsFor, startTrackingServer } from '../lib/inputs.mjs';
import { DIST, newFolder, onEnd, serviceCommand } from '../lib/processes.mjs';
import { RunningService } from '../lib/running-service.mjs';
import { DAY, HOUR } from '../lib/runs.mjs';
import { alternate, medians, number, ratio } from '../lib/statistics.mjs';

export const title = 'a historical run by one, two and four processes on one Redis and one bucket';
export const sizes = {
  runs: [50_000, 300],
  metrics: [20, 5],
  days: [30, 3],
  workers: [
    [1, 2, 4],
    [1, 2],
  ],
};

const load = (path) => import(pathToFileURL(join(DIST, path)).href);

export async function run({ sizes: { runs, metrics, days, workers }, rounds, print }) {
  const [s3Program, redisProgram] = [findS3Server(), findRedisServer()];
  if (!s3Program) throw new Error('versitygw is missing: bash test/support/install-versitygw.sh');
  if (!redisProgram) throw new Error('redis-server is missing');
  Object.assign(process.env, S3_CREDENTIALS);
  const s3 = await startS3(s3Program);
  onEnd(s3.stop);
  const redis = await startRedis(redisProgram);
  onEnd(redis.stop);
  const now = Date.now();
  const history = { seed: 1, from: now - days * DAY + HOUR, to: now - HOUR, count: runs, metrics };
  const mlflow = await startTrackingServer({ history }, undefined, true);
  const settings = await settingsFor(mlflow.uri, metrics);

  /** @param count processes that execute jobs: the command itself is one of them */
  const historical = async (count, round) => {
    const bucket = await s3.bucket(`workers-${count}-${round}`);
    const folder = await newFolder();
    const env = (name) => ({
      ...S3_CREDENTIALS,
      ...settings,
      S3_BUCKET: bucket,
      S3_ENDPOINT: s3.endpoint,
      S3_FORCE_PATH_STYLE: 'true',
      REDIS_URL: redis.url,
      STORAGE_DIR: join(folder, name),
      LOOKBACK_DAYS_HISTORICAL: String(days),
    });
    const others = [];
    for (let i = 1; i < count; i++) {
      const other = { ...env(`worker-${i}`), ROLES: 'worker' };
      others.push((await RunningService.start(other, folder, '/health/live')).service);
    }
    const { cpu } = await serviceCommand(['run', 'historical'], env('command'));
    const shared = others.reduce((sum, service) => sum + service.cpu(), 0);
    for (const service of others) await service.stop();
    const record = await readRecord(env('reader'));
    if (record.summary.runs !== runs)
      throw new Error(`${record.summary.runs} of ${runs} runs were published`);
    return { seconds: (record.finished_at - record.created_at) / 1000, cpu: cpu + shared };
  };

  print('filling the memory of the tracking server');
  await historical(1, 'first');
  const sides = Object.fromEntries(workers.map((count) => [`${count}`, (round) => historical(count, round)]));
  const results = await alternate(sides, rounds, print);
  const speedUp = (count) => ratio(results[workers[0]], results[count], 'seconds');
  return {
    tables: [
      {
        columns: ['processes', 'time, s', 'CPU, s', 'times as fast as one'],
        rows: workers.map((count) => {
          const { seconds, cpu } = medians(results[count]);
          return [number(count), seconds, cpu, speedUp(count)];
        }),
      },
    ],
    goals: [{ what: 'two processes', unit: '× as fast as one', measured: speedUp(2), atLeast: 1.7 }],
    notes: [
      `A historical run of ${number(runs)} runs over ${days} days into an empty bucket of versitygw. The first process is \`mlflow-monitor run historical\`, the others have \`ROLES=worker\`. All have the default settings.`,
      'Time: from the creation of the pipeline run to its end. CPU: all threads of these processes, from their start.',
      'The tracking server returns pages from memory: a run before the first round has filled it. It, the bucket and Redis run on the same machine and take part of its cores, and a single process already uses several threads: on a machine with two cores, the factor shows little but how well one process uses both.',
    ],
    raw: results,
  };
}

/** The record of the only historical run of a bucket. */
async function readRecord(env) {
  const { loadSettings } = await load('config/settings.js');
  const { openStoreForReading } = await load('storage/inspect-store.js');
  const { readPipelineRun } = await load('pipeline/pipeline-run.js');
  const { store } = await openStoreForReading(loadSettings(env), await newFolder());
  try {
    return await readPipelineRun(store, 'historical-1');
  } finally {
    await store.close();
  }
}
