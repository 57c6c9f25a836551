import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { findMlflow, startMlflow } from '../../support/mlflow-server.js';
import { Program } from '../../support/program.js';
import { findRedisServer, freePort, startRedis } from '../../support/redis-server.js';

const compose = z
  .object({
    services: z.object({
      monitor: z.object({ environment: z.record(z.string(), z.string()) }),
      queue: z.object({ command: z.array(z.string()) }),
      mlflow: z.object({ command: z.array(z.string()) }),
    }),
  })
  .parse(parse(await readFile('docker-compose.yml', 'utf8')));

/** The variables that the image sets. */
async function imageEnvironment(): Promise<Record<string, string>> {
  const text = (await readFile('Dockerfile', 'utf8')).replaceAll('\\\n', ' ');
  const pairs = [...text.matchAll(/^ENV (.*)$/gm)].flatMap(([, list = '']) => list.trim().split(/\s+/));
  return Object.fromEntries(pairs.map((pair) => pair.split('=') as [string, string]));
}

/** The status of a request that names the server by another host. */
const statusFor = (uri: string, host: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    request(`${uri}/health`, { headers: { host } }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    })
      .on('error', reject)
      .end();
  });

const [redis, mlflow] = [findRedisServer(), findMlflow()];
if (redis && mlflow) {
  it('the processes of docker-compose.yml, with its settings, publish a first summary', async () => {
    const { services } = compose;
    const folder = await mkdtemp(join(tmpdir(), 'compose-'));
    const queue = await startRedis(redis, ['--dir', folder, ...services.queue.command.slice(1)]);
    const port = await freePort();
    const hosts = services.mlflow.command.filter((part) => part.startsWith('--allowed-hosts='));
    const tracking = await startMlflow(
      mlflow,
      hosts.map((part) => `${part},127.0.0.1:*`),
    );
    const answers = await fetch(`${tracking.uri}/api/2.0/mlflow/runs/create`, {
      method: 'POST',
      body: JSON.stringify({ experiment_id: '0', start_time: Date.now() - 60_000 }),
      headers: { 'Content-Type': 'application/json' },
    });
    const { run } = (await answers.json()) as { run: { info: { run_id: string } } };
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
      const current = await fetch(`http://127.0.0.1:${port}/api/v1/platform/current`);
      expect(await current.json()).toMatchObject({ platform: { total: 1 } });
      expect(await service.stop()).toEqual({ code: 0, signal: null });
    } finally {
      await service.stop('SIGKILL');
      await tracking.stop();
      await queue.stop();
      await rm(folder, { recursive: true, force: true });
    }
  });
} else if (process.env.REQUIRE_ALL === '1') {
  it('needs redis-server on PATH and MLflow from test/independent/venv.sh', () => {
    expect([redis, mlflow]).not.toContain(undefined);
  });
} else {
  process.stderr.write('Left out: the processes of docker-compose.yml (no Redis or no MLflow)\n');
}
