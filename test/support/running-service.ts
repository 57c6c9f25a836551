import { once } from 'node:events';
import { type IncomingHttpHeaders, request } from 'node:http';
import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { serveOpenApi } from '../../src/admin/open-api.js';
import { AppModule } from '../../src/app.module.js';
import { loadSettings } from '../../src/config/settings.js';
import { ENGINE, type Engine } from '../../src/pipeline/engine.js';
import { type PipelineRun, readPipelineRun } from '../../src/pipeline/pipeline-run.js';
import { openResources, type Resources } from '../../src/resources.js';
import { borrowQueueConnection } from './shared-queue.js';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** undefined: it is no JSON. */
  readonly json: unknown;
}

export interface Asked {
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
}

/** The whole service with its HTTP server, on a free port of the loopback address whatever `HOST` says. */
export interface RunningService {
  readonly app: INestApplication;
  readonly engine: Engine;
  readonly resources: Resources;
  readonly port: number;
  ask(method: string, path: string, asked?: Asked): Promise<Answer>;
  /** Resolves with the record as soon as the run is finished. */
  finished(id: string): Promise<PipelineRun>;
  /** Resolves as soon as so many steps of the run are done; to be called before they can be. */
  progressed(id: string, steps: number): Promise<void>;
  /** Stops the service and leaves its store open, to look at what it left. */
  stop(): Promise<void>;
  close(): Promise<void>;
}

export async function startService(
  env: Readonly<Record<string, string>>,
  { scheduled = false, clock = Date.now }: { scheduled?: boolean; clock?: () => number } = {},
): Promise<RunningService> {
  const resources = await openResources(loadSettings(env), clock, borrowQueueConnection);
  const app = await NestFactory.create(AppModule.register(resources, scheduled), {
    logger: false,
    abortOnError: false,
  });
  serveOpenApi(app);
  await app.listen(0, '127.0.0.1');
  const port = Number(new URL(await app.getUrl()).port);
  const engine = app.get<Engine>(ENGINE);
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= app.close();
    return stopped;
  };
  return {
    app,
    engine,
    resources,
    port,
    ask: (method, path, asked) => ask(port, method, path, asked),
    finished: (id) =>
      new Promise((resolve, reject) => {
        engine.events.on('finished', (record) => record.id === id && resolve(record));
        readPipelineRun(resources.store, id).then((record) => {
          if (record && record.status !== 'active') resolve(record);
        }, reject);
      }),
    progressed: (id, steps) =>
      new Promise((resolve) => {
        engine.events.on('progress', (run, done) => run === id && done >= steps && resolve());
      }),
    stop,
    async close() {
      await stop();
      await resources.close();
    },
  };
}

/** By `node:http`, as `fetch` does not let its caller choose the `Host`. */
async function ask(port: number, method: string, path: string, { headers = {}, body }: Asked = {}) {
  const sent = request({
    host: '127.0.0.1',
    port,
    method,
    path,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    agent: false,
  });
  sent.end(body === undefined ? undefined : JSON.stringify(body));
  const [response] = await once(sent, 'response');
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode, headers: response.headers, text, json: jsonOf(text) };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
