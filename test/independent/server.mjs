import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/**
 * Starts MLflow on a new SQLite file in `folder`, its log beside it.
 * @returns its address, its database, `ready`, which settles when it serves or has ended, and `stop`, which ends all of its processes
 */
export async function startMlflow(mlflow, folder) {
  const port = await freePort();
  const database = join(folder, 'mlflow.db');
  const options = ['--host', '127.0.0.1', '--port', String(port), '--workers', '1'];
  const child = spawn(mlflow, ['server', '--backend-store-uri', `sqlite:///${database}`, ...options], {
    cwd: folder,
    // A process group, since the server has children.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'false', MLFLOW_DISABLE_TELEMETRY: 'true' },
  });
  const closed = once(child, 'close');
  const log = createWriteStream(join(folder, 'server.log'));
  let said = '';
  const ready = new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        log.write(chunk);
        said = `${said}${chunk}`.slice(-4_000);
        if (said.includes('Uvicorn running on')) resolve();
      });
    }
    child.once('close', () => reject(new Error(`MLflow did not start:\n${said}`)));
  });
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid, 'SIGTERM');
    await closed;
  };
  return { uri: `http://127.0.0.1:${port}`, database, ready, stop };
}
