import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { findProgram } from './find-program.js';
import { freePort } from './redis-server.js';

/** Alertmanager under the name of its project or of Debian's package. */
export const findAlertmanager = (): string | undefined =>
  findProgram('alertmanager') ?? findProgram('prometheus-alertmanager');

/** An Alertmanager that sends what it gets, and what is resolved, to a webhook as soon as it can. */
export async function startAlertmanager(program: string, webhook: string) {
  const folder = await mkdtemp(join(tmpdir(), 'alertmanager-'));
  const config = join(folder, 'alertmanager.yml');
  await writeFile(
    config,
    `route: { receiver: test, group_by: [alertname, application], group_wait: 10ms, group_interval: 100ms, repeat_interval: 1h }
receivers:
  - name: test
    webhook_configs: [{ url: "${webhook}", send_resolved: true }]
`,
  );
  const address = `127.0.0.1:${await freePort()}`;
  const child = spawn(program, [
    `--config.file=${config}`,
    `--storage.path=${join(folder, 'data')}`,
    `--web.listen-address=${address}`,
    '--cluster.listen-address=',
  ]);
  const exited = once(child, 'exit');
  const started = new Promise<void>((resolve, reject) => {
    const lines: string[] = [];
    createInterface(child.stderr).on('line', (line) => {
      lines.push(line);
      if (line.includes('Listening on')) resolve();
    });
    child.once('error', reject);
    exited.then(() => reject(new Error(lines.join('\n'))));
  });
  await started;
  return {
    uri: `http://${address}`,
    async stop(): Promise<void> {
      child.kill();
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
