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
  /** Changes the server's database directly, to what older versions stored. */
  sql(statement: string): Promise<void>;
  stop(): Promise<void>;
}

const environment = (): string => process.env.MLFLOW_VENV ?? join(homedir(), '.cache/mlflow-monitor/venv');

/** MLflow's program in the virtual environment that `test/independent/venv.sh` creates. */
export const findMlflow = (): string | undefined => findInEnvironment('mlflow');

/** A program of that virtual environment, such as its Python. */
export function findInEnvironment(name: string): string | undefined {
  const program = join(environment(), 'bin', name);
  try {
    accessSync(program, constants.X_OK);
    return program;
  } catch {
    return undefined;
  }
}

/** Starts a real MLflow on a new SQLite database. @throws {Error} with its output if it does not start */
export async function startMlflow(program: string, flags: readonly string[] = []): Promise<MlflowServer> {
  const folder = await mkdtemp(join(tmpdir(), 'mlflow-'));
  const port = await freePort();
  const database = join(folder, 'mlflow.db');
  const args = ['server', '--backend-store-uri', `sqlite:///${database}`, '--workers', '1', ...flags];
  const server = spawn(program, [...args, '--host', '127.0.0.1', '--port', `${port}`], {
    cwd: folder,
    // In its own process group, to stop its child processes too.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'false', MLFLOW_DISABLE_TELEMETRY: 'true' },
  });
  const exited = once(server, 'close');
  let output = '';
  await new Promise<void>((resolve, reject) => {
    for (const stream of [server.stdout, server.stderr]) {
      stream.on('data', (chunk) => {
        output = `${output}${chunk}`.slice(-4_000);
        if (output.includes('Uvicorn running on')) resolve();
      });
    }
    exited.then(() => reject(new Error(`${program} exited:\n${output}`)), reject);
  });
  return {
    uri: `http://127.0.0.1:${port}`,
    async sql(statement) {
      const script = 'import sqlite3, sys\nwith sqlite3.connect(sys.argv[1]) as db: db.execute(sys.argv[2])';
      await promisify(execFile)(join(environment(), 'bin/python'), ['-c', script, database, statement]);
    },
    async stop() {
      if (server.exitCode === null && server.pid) process.kill(-server.pid, 'SIGTERM');
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
