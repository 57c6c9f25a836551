import { access, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TrackingServer } from '../../src/demo/tracking-server.js';
import { findProgram } from '../support/find-program.js';
import { Program } from '../support/program.js';
import { skipSuite } from '../support/skip.js';

/** As `cap_drop: [ALL]` and `no-new-privileges` of docker-compose.yml. Only root has capabilities to drop. */
const isRoot = process.getuid?.() === 0;
const RIGHTS = [
  ...(isRoot ? ['--bounding-set=-all', '--inh-caps=-all', '--ambient-caps=-all'] : []),
  '--no-new-privs',
];

const setpriv = findProgram('setpriv');
if (setpriv) {
  it('the service needs no capability and no new privilege', () => check(setpriv));
} else {
  skipSuite('the service without capabilities', 'setpriv (of util-linux, on Linux) on PATH');
}

async function check(setpriv: string): Promise<void> {
  const mlflow = await TrackingServer.start();
  const { experiment_id } = mlflow.experiment('fraud');
  const start_time = Date.now() - 3_600_000;
  const metrics = [{ key: 'recall', value: 0.9, step: 0, timestamp: start_time }];
  mlflow.run({ experiment_id, start_time, metrics });
  const folder = await mkdtemp(join(tmpdir(), 'hardened-'));
  const env = {
    MLFLOW_TRACKING_URI: mlflow.uri,
    STORAGE_DIR: join(folder, 'store'),
    LOOKBACK_DAYS_HISTORICAL: '1',
    PORT: '0',
  };
  const program = Program.start(['serve'], env, undefined, [setpriv, ...RIGHTS]);
  try {
    const [, url = ''] = await program.line(/Page: (http:\/\/127\.0\.0\.1:\d+)\//);
    await program.line(/bootstrap-1 done: 1 runs/);
    const status = await readFile(`/proc/${program.pid}/status`, 'utf8');
    const rights = [...status.matchAll(/^(Cap(?:Inh|Prm|Eff|Bnd|Amb)|NoNewPrivs):\s*(\w+)$/gm)].map(
      ([, name = '', value = '']) => [name, Number.parseInt(value, 16)],
    );
    const none = { CapInh: 0, CapPrm: 0, CapEff: 0, CapAmb: 0, ...(isRoot ? { CapBnd: 0 } : {}) };
    expect(Object.fromEntries(rights)).toMatchObject({ ...none, NoNewPrivs: 1 });
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);
    const current = await fetch(`${url}/api/v1/platform/current`);
    expect(await current.json()).toMatchObject({ platform: { total: 1 } });
    await access(join(folder, 'store/_state/rulebook.json'));
    const day = new Date(start_time).toISOString().slice(0, 10).replaceAll('-', '/');
    await access(join(folder, `store/runs/${day}/part-0.parquet`));
    // It starts no process that could have other rights.
    const tasks = await readFile(`/proc/${program.pid}/task/${program.pid}/children`, 'utf8');
    expect(tasks.trim()).toBe('');
    expect(await program.stop()).toEqual({ code: 0, signal: null });
  } finally {
    await program.stop('SIGKILL');
    await mlflow.close();
    await rm(folder, { recursive: true, force: true });
  }
}
