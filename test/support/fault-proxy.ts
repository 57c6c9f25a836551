import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as requestHttp,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

export interface ProxiedRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** Starts with 1. */
  readonly number: number;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An iterable is sent while it is generated, without a length. */
  readonly body?: string | Iterable<string | Buffer> | AsyncIterable<string | Buffer>;
}

/** The faults of one request; they can be combined. Without any, the request is proxied normally. */
export interface Fault {
  /** Delay before anything else. */
  readonly delayMs?: number;
  /** Resets the connection after this many bytes of the request body; the upstream gets no more than these. */
  readonly resetRequestAfter?: number;
  /** With `false`, the request is not forwarded. */
  readonly forward?: boolean;
  /** Replaces the upstream's response, which is still awaited. */
  readonly answer?: Answer;
  /** Where the response ends: before its first byte, or after this many bytes of its body; silently, with RST or with FIN. */
  readonly end?: { readonly after?: number; readonly how: 'hang' | 'reset' | 'close' };
  /** Sends the body in chunks of this many bytes, with a pause after each. */
  readonly drip?: { readonly bytes: number; readonly everyMs: number };
}

export type Decide = (request: ProxiedRequest) => Fault | undefined | Promise<Fault | undefined>;

/** An HTTP proxy in front of one server; `decide` returns the fault of each request. */
export class FaultProxy {
  readonly requests: ProxiedRequest[] = [];
  private readonly sockets = new Set<Socket>();
  decide: Decide = () => undefined;

  private constructor(
    private readonly server: Server,
    private readonly upstream: URL,
  ) {}

  static async start(upstream: string): Promise<FaultProxy> {
    const server = createServer();
    // Only the client closes idle connections.
    server.keepAliveTimeout = 0;
    const proxy = new FaultProxy(server, new URL(upstream));
    server.on('connection', (socket) => {
      proxy.sockets.add(socket);
      socket.on('close', () => proxy.sockets.delete(socket));
    });
    server.on('request', (request, response) => {
      proxy.handle(request, response).catch(() => response.socket?.resetAndDestroy());
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Resolves once no client has an open connection. */
  async idle(): Promise<void> {
    for (const socket of this.sockets) await once(socket, 'close');
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/', headers } = incoming;
    const request = { method, url, headers, number: this.requests.length + 1 };
    this.requests.push(request);
    const fault = (await this.decide(request)) ?? {};
    if (fault.delayMs) await wait(fault.delayMs);
    const upstream = fault.forward === false ? await discard(incoming) : await this.forward(incoming, fault);
    const answer = fault.answer ?? upstream;
    if (fault.answer && upstream) for await (const _ of upstream.body);
    await send(response, answer ?? { status: 502 }, fault);
  }

  /** @returns the upstream's response, with its body still unread */
  private async forward(
    incoming: IncomingMessage,
    { resetRequestAfter }: Fault,
  ): Promise<Required<Answer> & { readonly body: IncomingMessage }> {
    const { method, url, headers } = incoming;
    const outgoing = requestHttp({
      host: this.upstream.hostname,
      port: this.upstream.port,
      method,
      path: url,
      // Unchanged, `Host` too: an S3 client signs them.
      headers,
      setHost: false,
    });
    const responded = once(outgoing, 'response');
    // Awaited only after the request body is sent.
    responded.catch(() => undefined);
    let bytes = 0;
    for await (const chunk of incoming) {
      bytes += chunk.length;
      if (resetRequestAfter !== undefined && bytes > resetRequestAfter) {
        outgoing.on('error', () => undefined);
        outgoing.destroy();
        throw new Error('The request is reset');
      }
      outgoing.write(chunk);
    }
    outgoing.end();
    const [body]: IncomingMessage[] = await responded;
    if (!body) throw new Error('The response event has no response');
    const entries = Object.entries(body.headers).map(([name, value]) => [name, String(value)]);
    return { status: body.statusCode ?? 502, headers: Object.fromEntries(entries), body };
  }
}

/** Reads the whole request, so that the client can finish sending it. */
async function discard(incoming: IncomingMessage): Promise<undefined> {
  for await (const _ of incoming);
}

async function send(response: ServerResponse, answer: Answer, { end, drip }: Fault): Promise<void> {
  if (end && end.after === undefined) return stop(response, end.how);
  const { status, headers = {}, body = [] } = answer;
  const length = typeof body === 'string' ? { 'Content-Length': String(Buffer.byteLength(body)) } : {};
  response.writeHead(status, { ...length, ...headers });
  response.flushHeaders();
  let remaining = end?.after ?? Number.POSITIVE_INFINITY;
  for await (const chunk of chunks(typeof body === 'string' ? [body] : body, drip?.bytes)) {
    const sent = chunk.subarray(0, remaining);
    remaining -= sent.length;
    if (!response.write(sent) && !response.destroyed)
      await Promise.race([once(response, 'drain'), once(response, 'close')]);
    if (response.destroyed) return;
    if (end && remaining === 0) return stop(response, end.how);
    if (drip) await wait(drip.everyMs);
  }
  response.end();
}

async function* chunks(
  body: Iterable<string | Buffer> | AsyncIterable<string | Buffer>,
  bytes: number | undefined,
): AsyncIterable<Buffer> {
  for await (const part of body) {
    const whole = Buffer.from(part);
    const size = bytes ?? (whole.length || 1);
    for (let at = 0; at < whole.length; at += size) yield whole.subarray(at, at + size);
  }
}

function stop(response: ServerResponse, how: 'hang' | 'reset' | 'close'): void {
  const { socket } = response;
  if (how === 'hang' || !socket) return;
  // Data already written is sent first.
  if (how === 'close') socket.destroySoon();
  else setImmediate(() => socket.resetAndDestroy());
}
