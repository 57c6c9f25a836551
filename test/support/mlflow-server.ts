import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './redis-server.js';

export interface MlflowServer {
  readonly uri: string;
  /** Changes the server's database behind its back: what older versions have left in it. */
  sql(statement: string): Promise<void>;
  stop(): Promise<void>;
}

const environment = (): string => process.env.MLFLOW_VENV ?? join(homedir(), '.cache/mlflow-monitor/venv');

/** MLflow's program in the virtual environment that `test/independent/venv.sh` makes. */
export function findMlflow(): string | undefined {
  const program = join(environment(), 'bin/mlflow');
  try {
    accessSync(program, constants.X_OK);
    return program;
  } catch {
    return undefined;
  }
}

/** Starts a real MLflow on a SQLite database of its own. @throws {Error} with what it said if it does not start */
export async function startMlflow(program: string, more: readonly string[] = []): Promise<MlflowServer> {
  const folder = await mkdtemp(join(tmpdir(), 'mlflow-'));
  const port = await freePort();
  const database = join(folder, 'mlflow.db');
  const args = ['server', '--backend-store-uri', `sqlite:///${database}`, '--workers', '1', ...more];
  const server = spawn(program, [...args, '--host', '127.0.0.1', '--port', `${port}`], {
    cwd: folder,
    // A process group, since the server has children.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'false', MLFLOW_DISABLE_TELEMETRY: 'true' },
  });
  const ended = once(server, 'close');
  let said = '';
  await new Promise<void>((resolve, reject) => {
    for (const stream of [server.stdout, server.stderr]) {
      stream.on('data', (chunk) => {
        said = `${said}${chunk}`.slice(-4_000);
        if (said.includes('Uvicorn running on')) resolve();
      });
    }
    ended.then(() => reject(new Error(`${program} ended:\n${said}`)), reject);
  });
  return {
    uri: `http://127.0.0.1:${port}`,
    async sql(statement) {
      const script = 'import sqlite3, sys\nwith sqlite3.connect(sys.argv[1]) as db: db.execute(sys.argv[2])';
      await promisify(execFile)(join(environment(), 'bin/python'), ['-c', script, database, statement]);
    },
    async stop() {
      if (server.exitCode === null && server.pid) process.kill(-server.pid, 'SIGTERM');
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
