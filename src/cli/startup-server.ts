import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { errno, MonitorError } from '../domain/errors.js';

const STARTING = {
  status: 503,
  title: 'Service Unavailable',
  detail:
    'The service is starting: it is opening the store and the queue, and contacting the tracking server.',
};

/**
 * Listens on the port of a service that is starting, and responds to probes: alive, but not started yet.
 * @throws {MonitorError} `port_taken`
 */
export async function holdPort(port: number, host: string): Promise<Server> {
  const server = createServer((request, response) => {
    const alive = request.url?.split('?', 1)[0] === '/health/live';
    response.writeHead(alive ? 200 : 503, {
      'Content-Type': alive ? 'application/json' : 'application/problem+json',
      'Cache-Control': 'no-store',
      // The port is passed to the service soon; connections cannot be.
      Connection: 'close',
      ...(alive ? {} : { 'Retry-After': '1' }),
    });
    response.end(JSON.stringify(alive ? { status: 'ok' } : STARTING));
  });
  try {
    server.listen(port, host);
    await once(server, 'listening');
    return server;
  } catch (cause) {
    if (errno(cause) !== 'EADDRINUSE') throw cause;
    const message = `Port ${port} of ${host} is already in use. Choose another one with PORT, or with --port in the demo.`;
    throw new MonitorError('port_taken', message, { port }, false, { cause });
  }
}

/** Idempotent. */
export async function releasePort(server: Server): Promise<void> {
  if (!server.listening) return;
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
}
