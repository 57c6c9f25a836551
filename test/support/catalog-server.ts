import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';

export interface CatalogRequest {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: Readonly<Record<string, readonly string[]>>;
}

interface Threshold {
  readonly metric_name: string;
  readonly experiment_id?: string | null;
  readonly [column: string]: unknown;
}

const MAX_NAMES = 200;
const bodySchema = z.record(z.string(), z.array(z.string()));

/** The two APIs of a company catalog, below `/api`: they return only the requested rows and accept at most 200 names. */
export class CatalogServer {
  metrics: { metric_name: string; [column: string]: unknown }[] = [];
  thresholds: Threshold[] = [];
  /** Whether responses are inside `{response: …}`. */
  wrapped = false;
  apiKey: string | undefined;
  readonly requests: CatalogRequest[] = [];

  private constructor(private readonly server: Server) {}

  static async start(): Promise<CatalogServer> {
    const server = createServer();
    const catalog = new CatalogServer(server);
    server.on('request', async (request, response) => {
      const { status, content } = await catalog.respond(request);
      response.writeHead(status, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify(content));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return catalog;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async respond(request: IncomingMessage): Promise<{ status: number; content: unknown }> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method, url: path = '', headers } = request;
    const { authorization } = headers;
    if (this.apiKey && authorization !== `Bearer ${this.apiKey}`) return { status: 401, content: 'no' };
    const body = bodySchema.parse(JSON.parse(Buffer.concat(chunks).toString('utf8')));
    this.requests.push({ path, authorization, body });
    if (method !== 'POST' || Object.values(body).some(({ length }) => length > MAX_NAMES)) {
      return { status: 400, content: `At most ${MAX_NAMES}` };
    }
    const handlers: Record<string, () => unknown> = {
      '/api/metrics/batch': () => ({
        metrics: this.metrics.filter(({ metric_name }) => body.metric_names?.includes(metric_name)),
      }),
      '/api/thresholds/batch': () => ({
        thresholds: this.thresholds.filter(
          ({ metric_name, experiment_id = null }) =>
            body.metrics?.includes(metric_name) &&
            (experiment_id === null || body.experiments?.includes(experiment_id)),
        ),
      }),
    };
    const rows = handlers[path]?.();
    if (!rows) return { status: 404, content: 'no such path' };
    return { status: 200, content: this.wrapped ? { response: rows } : rows };
  }
}
