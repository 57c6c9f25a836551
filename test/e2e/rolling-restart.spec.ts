import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TrackingServer } from '../../src/demo/tracking-server.js';
import { openService } from '../support/open-service.js';
import { Program } from '../support/program.js';
import { describeRedis } from '../support/redis-server.js';
import { findS3Server, S3_CREDENTIALS, startS3 } from '../support/s3-server.js';
import { skipSuite } from '../support/skip.js';

const HOUR = 3_600_000;
const DAYS = 30;
/** Runs per day. A day is a slice, which is a job of each stage. */
const RUNS = 5;
/** The numbers of searches after which a process is replaced: all well before the last one. */
const REPLACED_AFTER = [5, 12, 19];
const CLIENTS = 3;
/** Seven processes start, on whatever else the machine does. */
const TIME_LIMIT_MS = 300_000;
const PATHS = ['/', '/api/v1/platform/current', '/health/ready'];

/** A tracking server with some days of runs, the newest of which ended hours ago: nothing changes meanwhile. */
async function trackingServer(now: number): Promise<TrackingServer> {
  // Its clock stands still: after midnight, one more day would be published.
  const mlflow = await TrackingServer.start(() => now);
  const { experiment_id } = mlflow.experiment('churn');
  for (let day = 0; day < DAYS; day++) {
    for (let i = 0; i < RUNS; i++) {
      const start_time = now - (day * 24 + i + 2) * HOUR;
      const metrics = [{ key: 'accuracy', value: (day + i) / 100, step: 0, timestamp: start_time }];
      mlflow.run({ experiment_id, start_time, end_time: start_time + 1_000, metrics });
    }
  }
  return mlflow;
}

/** Resolves when the server has responded to so many searches for runs. */
function searches(mlflow: TrackingServer, count: number): Promise<void> {
  return new Promise((resolve) => {
    const before = mlflow.intercept;
    mlflow.intercept = (request) => {
      if (mlflow.requests.filter(({ path }) => path.endsWith('runs/search')).length >= count) resolve();
      return before?.(request);
    };
  });
}

/** Sends requests to the processes that are in the list at that moment, as a load balancer does, until it is stopped. */
function load(addresses: readonly string[]) {
  let isStopped = false;
  let sent = 0;
  const failures: string[] = [];
  const client = async () => {
    while (!isStopped) {
      const url = `${addresses[sent % addresses.length]}${PATHS[sent % PATHS.length]}`;
      sent++;
      const outcome = await fetch(url)
        .then(async (response) => (await response.arrayBuffer()) && response.status)
        .catch(String);
      if (outcome !== 200) failures.push(`${url}: ${outcome}`);
    }
  };
  const clients = Array.from({ length: CLIENTS }, client);
  return {
    async stop() {
      isStopped = true;
      await Promise.all(clients);
      return { sent, failures };
    },
  };
}

const s3Program = findS3Server();
if (s3Program) {
  describeRedis('a rolling restart', (redis) => {
    it(
      'of three processes under load fails no request and no job, and publishes the same bytes',
      async () => {
        const now = Date.now();
        const folder = await mkdtemp(join(tmpdir(), 'rolling-'));
        const mlflow = await trackingServer(now);
        const s3 = await startS3(s3Program);
        const programs: Program[] = [];
        const settings = {
          ...S3_CREDENTIALS,
          MLFLOW_TRACKING_URI: mlflow.uri,
          LOOKBACK_DAYS_HISTORICAL: `${DAYS + 1}`,
          S3_BUCKET: await s3.bucket('rolling'),
          S3_ENDPOINT: s3.endpoint,
          S3_FORCE_PATH_STYLE: 'true',
          REDIS_URL: redis().url,
          LOG_FORMAT: 'json',
          PORT: '0',
        };
        const start = async (roles: string) => {
          const own = { ROLES: roles, STORAGE_DIR: join(folder, `${programs.length}`) };
          const program = Program.start(['serve'], { ...settings, ...own });
          programs.push(program);
          const [, url = ''] = await program.line(/Page: (http:\/\/[^/"]+)\//);
          expect((await fetch(`${url}/health/ready`)).status).toBe(200);
          return { program, url };
        };
        try {
          const [old, replacements] = [
            [0, 1, 2],
            [3, 4, 5],
          ].map((each) => Promise.all(each.map(() => start('api,worker'))));
          const running = (await old) ?? [];
          const next = (await replacements) ?? [];
          const addresses = running.map(({ url }) => url);
          const clients = load(addresses);
          const moments = REPLACED_AFTER.map((count) => searches(mlflow, count));
          // Its schedule begins the work.
          const scheduler = await start('api,scheduler');
          for (const [i, moment] of moments.entries()) {
            await moment;
            // First the new process gets requests, then the old one gets no more, then it is asked to stop.
            addresses.push(next[i]?.url ?? '');
            addresses.shift();
            expect(await running[i]?.program.stop()).toEqual({ code: 0, signal: null });
          }
          await Promise.any(programs.map((program) => program.line(/bootstrap-1 done: \d+ runs/)));
          const metrics = await (await fetch(`${scheduler.url}/metrics`)).text();
          const { sent, failures } = await clients.stop();
          for (const program of programs) await program.stop();

          expect(failures).toEqual([]);
          expect(sent).toBeGreaterThan(50);
          expect(
            metrics.match(/queue_jobs\{.*state="failed"\} .*/g)?.every((line) => line.endsWith(' 0')),
          ).toBe(true);
          const lines = programs.flatMap((program) => program.lines);
          expect(lines.filter((line) => /"level":"(error|warn)"/.test(line))).toEqual([]);
          expect(lines.filter((line) => line.includes('SIGTERM received'))).toHaveLength(7);

          Object.assign(process.env, S3_CREDENTIALS);
          const env = { ...settings, REDIS_URL: '' };
          const published = await openService({ trackingUri: mlflow.uri, catalog: null, env });
          const { LOOKBACK_DAYS_HISTORICAL } = settings;
          const alone = { LOOKBACK_DAYS_HISTORICAL };
          const undisturbed = await openService({ trackingUri: mlflow.uri, catalog: null, env: alone });
          try {
            await undisturbed.run('bootstrap');
            const digests = await undisturbed.digests();
            expect(Object.keys(digests).length).toBeGreaterThan(4 * DAYS);
            expect(await published.digests()).toEqual(digests);
          } finally {
            await published.close();
            await undisturbed.close();
          }
        } finally {
          for (const program of programs) await program.stop('SIGKILL');
          await mlflow.close();
          await s3.stop();
          await rm(folder, { recursive: true, force: true });
        }
      },
      TIME_LIMIT_MS,
    );
  });
} else {
  skipSuite('a rolling restart', 'versitygw (bash test/support/install-versitygw.sh)');
}
