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
 * Starts MLflow on a new SQLite file in `folder`, which also gets its log.
 * @returns its address and database; `ready`, which resolves once it serves and rejects if it exits; `stop`, which stops all its processes
 */
export async function startMlflow(mlflow, folder) {
  const port = await freePort();
  const database = join(folder, 'mlflow.db');
  const options = ['--host', '127.0.0.1', '--port', String(port), '--workers', '1'];
  const child = spawn(mlflow, ['server', '--backend-store-uri', `sqlite:///${database}`, ...options], {
    cwd: folder,
    // In its own process group, to stop its child processes too.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'false', MLFLOW_DISABLE_TELEMETRY: 'true' },
  });
  const closed = once(child, 'close');
  const log = createWriteStream(join(folder, 'server.log'));
  let output = '';
  const ready = new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        log.write(chunk);
        output = `${output}${chunk}`.slice(-4_000);
        if (output.includes('Uvicorn running on')) resolve();
      });
    }
    child.once('close', () => reject(new Error(`MLflow did not start:\n${output}`)));
  });
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid, 'SIGTERM');
    await closed;
  };
  return { uri: `http://127.0.0.1:${port}`, database, ready, stop };
}
