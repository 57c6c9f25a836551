import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}
/** Responds to one request, within the rules of HTTP or not. */
export type Answer = (response: ServerResponse, received: Received) => void;

/** A server with scripted responses: the n-th request gets the n-th response, later ones the last. */
export class ScriptedServer {
  readonly received: Received[] = [];
  script: Answer[] = [];

  private constructor(
    private readonly server: ReturnType<typeof createServer>,
    readonly uri: string,
  ) {}

  static async start(): Promise<ScriptedServer> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const scripted = new ScriptedServer(server, `http://127.0.0.1:${port}`);
    server.on('request', async (request, response) => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      const { method = '', url = '', headers } = request;
      const received = { method, url, headers, body };
      scripted.received.push(received);
      const answer = scripted.script[Math.min(scripted.received.length, scripted.script.length) - 1];
      answer?.(response, received);
    });
    return scripted;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}

/** A response with this status, body and headers, sent at once. */
export const answer =
  (status: number, body: string | Buffer = '', headers: Record<string, string> = {}): Answer =>
  (response) =>
    void response.writeHead(status, { 'Content-Length': Buffer.byteLength(body), ...headers }).end(body);
