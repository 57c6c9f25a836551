import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { findMlflow, startMlflow } from '../support/mlflow-server.js';
import { Program } from '../support/program.js';
import { findRedisServer, freePort, startRedis } from '../support/redis-server.js';
import { findS3Server, S3_CREDENTIALS, startS3 } from '../support/s3-server.js';
import { skipSuite } from '../support/skip.js';

const compose = z
  .object({
    services: z.object({
      monitor: z.object({ environment: z.record(z.string(), z.string()) }),
      store: z.object({ command: z.array(z.string()) }),
      queue: z.object({ command: z.array(z.string()) }),
      mlflow: z.object({ command: z.array(z.string()) }),
    }),
  })
  .parse(parse(await readFile('docker-compose.yml', 'utf8')));

/** Environment variables of the image. */
async function imageEnvironment(): Promise<Record<string, string>> {
  const text = (await readFile('Dockerfile', 'utf8')).replaceAll('\\\n', ' ');
  const pairs = [...text.matchAll(/^ENV (.*)$/gm)].flatMap(([, list = '']) => list.trim().split(/\s+/));
  return Object.fromEntries(pairs.map((pair) => pair.split('=') as [string, string]));
}

/** The status of a response to a request with this `Host` header. */
const statusFor = (uri: string, host: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    request(`${uri}/health`, { headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });

/** The flags of the S3 server, without its port. */
const storeFlags = (command: string): string[] =>
  (/exec versitygw --port :\d+ (.*) posix \/data$/.exec(command)?.[1] ?? '').split(' ');

const [redis, mlflow, s3] = [findRedisServer(), findMlflow(), findS3Server()];
if (redis && mlflow && s3) {
  it('the processes in docker-compose.yml, with its settings, publish a first summary', async () => {
    const { services } = compose;
    const folder = await mkdtemp(join(tmpdir(), 'compose-'));
    const queue = await startRedis(redis, ['--dir', folder, ...services.queue.command.slice(1)]);
    const store = await startS3(s3, storeFlags(services.store.command.join(' ')));
    const port = await freePort();
    const hosts = services.mlflow.command.filter((flag) => flag.startsWith('--allowed-hosts='));
    const tracking = await startMlflow(
      mlflow,
      hosts.map((flag) => `${flag},127.0.0.1:*`),
    );
    const created = await fetch(`${tracking.uri}/api/2.0/mlflow/runs/create`, {
      method: 'POST',
      body: JSON.stringify({ experiment_id: '0', start_time: Date.now() - 60_000 }),
      headers: { 'Content-Type': 'application/json' },
    });
    const { run } = (await created.json()) as { run: { info: { run_id: string } } };
    await fetch(`${tracking.uri}/api/2.0/mlflow/runs/update`, {
      method: 'POST',
      body: JSON.stringify({ run_id: run.info.run_id, status: 'FINISHED', end_time: Date.now() }),
      headers: { 'Content-Type': 'application/json' },
    });
    const service = Program.start(['serve'], {
      ...(await imageEnvironment()),
      ...services.monitor.environment,
      MLFLOW_TRACKING_URI: tracking.uri,
      REDIS_URL: queue.url,
      S3_BUCKET: await store.bucket(services.monitor.environment.S3_BUCKET ?? ''),
      S3_ENDPOINT: store.endpoint,
      ...S3_CREDENTIALS,
      STORAGE_DIR: join(folder, 'data'),
      PORT: `${port}`,
    });
    try {
      expect(hosts).toHaveLength(1);
      expect(await statusFor(tracking.uri, 'mlflow:5000')).toBe(200);
      await service.line(/bootstrap-1 done: 1 runs/);
      for (const path of ['live', 'ready']) {
        expect((await fetch(`http://127.0.0.1:${port}/health/${path}`)).status).toBe(200);
      }
      // The request of its health check.
      expect((await fetch(`${store.endpoint}/health`)).status).toBe(200);
      const scraped = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      for (const upstream of ['store', 'queue', 'mlflow']) {
        expect(scraped).toContain(`mlflow_monitor_upstream_up{upstream="${upstream}"} 1`);
      }
      expect(scraped).toContain('mlflow_monitor_store_single_writer 0');
      const current = await fetch(`http://127.0.0.1:${port}/api/v1/platform/current`);
      expect(await current.json()).toMatchObject({ platform: { total: 1 } });
      expect(await service.stop()).toEqual({ code: 0, signal: null });
    } finally {
      await service.stop('SIGKILL');
      await tracking.stop();
      await queue.stop();
      await store.stop();
      await rm(folder, { recursive: true, force: true });
    }
  });
} else {
  skipSuite(
    'the processes in docker-compose.yml',
    'redis-server or valkey-server on PATH, MLflow (sh test/independent/venv.sh) and versitygw (bash test/support/install-versitygw.sh)',
  );
}
