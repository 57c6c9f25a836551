import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

/**
 * A company's proxy, as HTTP clients use it: absolute addresses for http, CONNECT for https (RFC 9110, section 9.3.6). All hosts
 * lead to loopback ports.
 */
export class ForwardProxy {
  /** What was requested: `http://host/path` or `CONNECT host:port`. */
  readonly requested: string[] = [];
  /** The value that `Proxy-Authorization` must have. */
  authorization: string | undefined;
  refuses = false;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: ReturnType<typeof createServer>,
    readonly url: string,
  ) {}

  /** @param ports the loopback port for each host name */
  static async start(ports: Readonly<Record<string, number>>): Promise<ForwardProxy> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const proxy = new ForwardProxy(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    server.on('request', (incoming, response) => {
      proxy.requested.push(incoming.url ?? '');
      const status = proxy.refusal(incoming.headers['proxy-authorization']);
      if (status) return void response.writeHead(status).end('<html>The proxy denies this.</html>');
      const { hostname, pathname, search } = new URL(incoming.url ?? '');
      const { method = 'GET', headers } = incoming;
      const target = {
        host: '127.0.0.1',
        port: ports[hostname] ?? 9,
        path: pathname + search,
        method,
        headers,
      };
      const outgoing = request(target, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      outgoing.on('error', () => response.writeHead(502).end('<html>Bad gateway</html>'));
      incoming.pipe(outgoing);
    });
    server.on('connect', (incoming, client: Socket) => {
      proxy.requested.push(`CONNECT ${incoming.url}`);
      const status = proxy.refusal(incoming.headers['proxy-authorization']);
      if (status) return void client.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`);
      const [name = ''] = (incoming.url ?? '').split(':');
      const target = connect(ports[name] ?? 9, '127.0.0.1', () => {
        client.write('HTTP/1.1 200 Connection established\r\n\r\n');
        target.pipe(client).pipe(target);
      });
      for (const socket of [client, target]) {
        proxy.sockets.add(socket);
        socket.on('error', () => socket.destroy());
      }
    });
    return proxy;
  }

  private refusal(authorization: string | undefined): number | undefined {
    if (this.authorization && authorization !== this.authorization) return 407;
    return this.refuses ? 403 : undefined;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}
