import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** Accepts connections and never answers. */
export class SilentServer {
  /** Nobody reads from them, so they do not notice that the other side has closed: they would keep the process alive. */
  private readonly sockets = new Set<Socket>();
  readonly port: number;

  private constructor(private readonly server: Server) {
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (socket) => this.sockets.add(socket));
  }

  static async start(): Promise<SilentServer> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new SilentServer(server);
  }

  /** Resolves with the next connection. */
  async connected(): Promise<void> {
    await once(this.server, 'connection');
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }
}
