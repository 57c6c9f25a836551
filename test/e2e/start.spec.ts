import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lockFolder } from '../../src/storage/folder-lock.js';
import { Program } from '../support/program.js';
import { S3_CREDENTIALS } from '../support/s3-server.js';
import { SilentServer } from '../support/silent-server.js';

let silent: SilentServer;
let host: string;
let folder: string;
let program: Program | undefined;

beforeEach(async () => {
  silent = await SilentServer.start();
  host = `127.0.0.1:${silent.port}`;
  folder = await mkdtemp(join(tmpdir(), 'start-'));
});
afterEach(async () => {
  await program?.stop('SIGKILL');
  await silent.close();
  await rm(folder, { recursive: true, force: true });
});

const BUCKET = (): Record<string, string> => ({
  ...S3_CREDENTIALS,
  S3_BUCKET: 'metrics',
  S3_ENDPOINT: `http://${host}`,
  S3_FORCE_PATH_STYLE: 'true',
});

function start(args: string[], env: Record<string, string>): Program {
  program = Program.start(args, {
    MLFLOW_TRACKING_URI: 'http://127.0.0.1:9',
    STORAGE_DIR: join(folder, 'store'),
    PORT: '0',
    LOG_FORMAT: 'json',
    ...env,
  });
  return program;
}

/** Expects that no process owns the folder, and that no file says so. */
async function expectUnlocked(): Promise<void> {
  await expect(access(join(folder, 'store/.lock/owner.json'))).rejects.toThrow('ENOENT');
  await (await lockFolder(join(folder, 'store'))).release();
}

describe('a start that waits for a server that never answers', () => {
  it.each([
    ['the bucket', 'SIGTERM', BUCKET],
    ['the bucket', 'SIGINT', BUCKET],
    ['Redis', 'SIGTERM', () => ({ REDIS_URL: `redis://${host}` })],
    ['MLflow', 'SIGTERM', () => ({ MLFLOW_TRACKING_URI: `http://${host}` })],
  ] as const)('ends if %s is silent and %s arrives, with 0 and without a lock', async (_, signal, env) => {
    const connected = silent.connected();
    const service = start(['serve'], env());
    await connected;
    expect(await service.stop(signal)).toEqual({ code: 0, signal: null });
    expect(service.lines.map((line) => JSON.parse(line).message)).toEqual([
      `${signal} received: the start is interrupted`,
    ]);
    await expectUnlocked();
  });

  it('ends a single pipeline run with the code of the signal', async () => {
    const connected = silent.connected();
    const run = start(['run', 'delta'], { MLFLOW_TRACKING_URI: `http://${host}` });
    await connected;
    expect(await run.stop('SIGTERM')).toEqual({ code: 143, signal: null });
    await (await lockFolder(join(folder, 'store'))).release();
  });

  it('ends by itself if the bucket is silent, with what to change, whatever the limits of later requests', async () => {
    const service = start(['serve'], { ...BUCKET(), MAX_RETRIES: '20', TIMEOUT: '3600' });
    expect(await service.exited).toEqual({ code: 1, signal: null });
    expect(service.lines.at(-1)).toMatch(/^Cannot put _probe\/\S+ of s3:\/\/metrics: timed out after 4 s → /);
    expect(service.lines.at(-1)).toContain(`open the firewall to ${host}, or correct S3_ENDPOINT`);
    await expectUnlocked();
  });
});
