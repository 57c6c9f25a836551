import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface BrokenResponse {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

/** @param text the body of the server's response */
export type Break = (
  path: string,
  request: Record<string, unknown>,
  text: string,
) => BrokenResponse | undefined;

/** A proxy in front of a tracking server that replaces responses. */
export class BrokenProxy {
  private constructor(
    private readonly server: Server,
    readonly uri: string,
  ) {}

  static async start(upstream: string, change: Break): Promise<BrokenProxy> {
    const server = createServer(async (request, response) => {
      let sent = '';
      for await (const chunk of request) sent += String(chunk);
      const answered = await fetch(`${upstream}${request.url}`, {
        method: request.method ?? 'GET',
        headers: { 'Content-Type': 'application/json' },
        ...(request.method === 'POST' ? { body: sent } : {}),
      });
      const text = await answered.text();
      const path = (request.url ?? '').replace('/api/2.0/mlflow/', '');
      const broken = change(path, request.method === 'POST' ? JSON.parse(sent) : {}, text);
      const { status = answered.status, headers = {}, body } = broken ?? { body: text };
      response.writeHead(status, {
        'Content-Type': 'application/json',
        'Content-Length': Buffer.byteLength(body),
        ...headers,
      });
      response.end(body);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    return new BrokenProxy(server, `http://127.0.0.1:${port}`);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}
