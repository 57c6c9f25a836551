import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { freePort } from './redis-server.js';

const message = z.object({
  alerts: z.array(
    z.object({
      status: z.enum(['firing', 'resolved']),
      labels: z.record(z.string(), z.string()),
      annotations: z.record(z.string(), z.string()),
    }),
  ),
});
export type SentAlert = z.infer<typeof message>['alerts'][number] & {
  /** The last part of the path of the webhook. */
  readonly receiver: string;
};

/** Webhooks that Alertmanager calls. */
export class AlertReceiver {
  private readonly sent: SentAlert[] = [];
  private readonly events = new EventEmitter<{ alert: []; failed: [error: Error] }>();
  private readonly server = createServer(async (request, response) => {
    const { alerts } = message.parse(JSON.parse(await text(request)));
    const receiver = (request.url ?? '').slice(1);
    response.end();
    this.sent.push(...alerts.map((alert) => ({ ...alert, receiver })));
    this.events.emit('alert');
  }).listen(0, '127.0.0.1');

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** The first alert that matches, whether sent already or later. @throws {Error} if a program exits before */
  alert(matches: (alert: SentAlert) => boolean): Promise<SentAlert> {
    return new Promise((resolve, reject) => {
      const check = () => {
        const found = this.sent.find(matches);
        if (found) resolve(found);
      };
      this.events.on('alert', check).on('failed', reject);
      check();
    });
  }

  fail(error: Error): void {
    if (this.events.listenerCount('failed') > 0) this.events.emit('failed', error);
  }

  close(): void {
    this.server.close();
  }
}

export interface Monitoring {
  /** The samples of an instant query. */
  query(expression: string): Promise<{ labels: Record<string, string>; value: number }[]>;
  stop(): Promise<void>;
}

const answer = z.object({
  data: z.object({
    result: z.array(
      z.object({
        metric: z.record(z.string(), z.string()),
        value: z.tuple([z.number(), z.string().transform(Number)]),
      }),
    ),
  }),
});

/**
 * Prometheus and Alertmanager with the configuration of `deploy/prometheus`, except for addresses and durations.
 * @param target host and port of the service
 */
export async function startMonitoring(
  programs: { readonly prometheus: string; readonly alertmanager: string },
  target: string,
  receiver: AlertReceiver,
): Promise<Monitoring> {
  const folder = await mkdtemp(join(tmpdir(), 'monitoring-'));
  const [alerting, scraping] = [await freePort(), await freePort()];
  await writeFile(join(folder, 'alertmanager.yml'), await alertmanagerConfig(receiver.url));
  const rules = await readFile('deploy/prometheus/alerts.yml', 'utf8');
  await writeFile(join(folder, 'alerts.yml'), rules.replaceAll(/^( +for:) .+$/gm, '$1 0s'));
  await writeFile(join(folder, 'prometheus.yml'), await prometheusConfig(target, alerting));
  const start = (program: string, args: readonly string[]) => {
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    const output = text(child.stderr);
    let stopped = false;
    child.on('exit', async () => {
      if (!stopped) receiver.fail(new Error(`${program} exited: ${await output}`));
    });
    return async () => {
      stopped = true;
      if (child.exitCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    };
  };
  const stops = [
    start(programs.alertmanager, [
      `--config.file=${join(folder, 'alertmanager.yml')}`,
      `--storage.path=${join(folder, 'alertmanager')}`,
      `--web.listen-address=127.0.0.1:${alerting}`,
      '--cluster.listen-address=',
    ]),
    start(programs.prometheus, [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'prometheus')}`,
      `--web.listen-address=127.0.0.1:${scraping}`,
    ]),
  ];
  return {
    async query(expression) {
      const parameters = new URLSearchParams({ query: expression });
      const response = await fetch(`http://127.0.0.1:${scraping}/api/v1/query?${parameters}`);
      if (!response.ok) throw new Error(`${expression}: ${await response.text()}`);
      const { data } = answer.parse(await response.json());
      return data.result.map(({ metric, value: [, value] }) => ({ labels: metric, value }));
    },
    async stop() {
      for (const stop of stops) await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The example, which sends at once and to this address. */
async function alertmanagerConfig(url: string): Promise<string> {
  const config = parse(await readFile('deploy/prometheus/alertmanager.yml', 'utf8'));
  for (const route of [config.route, ...config.route.routes]) {
    Object.assign(route, { group_wait: '0s', group_interval: '1s' });
  }
  return stringify(config).replaceAll('https://alerts.example.com', url);
}

async function prometheusConfig(target: string, alertmanager: number): Promise<string> {
  const config = parse(await readFile('deploy/prometheus/prometheus.yml', 'utf8'));
  Object.assign(config.global, { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' });
  config.scrape_configs[0].static_configs = [{ targets: [target] }];
  const alertmanagers = [{ static_configs: [{ targets: [`127.0.0.1:${alertmanager}`] }] }];
  return stringify({ ...config, alerting: { alertmanagers } });
}
