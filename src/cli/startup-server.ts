import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { errno, MonitorError } from '../domain/errors.js';
import { RESPONSE_HEADERS } from '../http/response-headers.js';

const STARTING = {
  status: 503,
  title: 'Service Unavailable',
  detail:
    'The service is starting: it is opening the store and the queue, and contacting the tracking server.',
};

const OTHER_HOST = 'Set HOST to an address of this machine: 127.0.0.1, or 0.0.0.0 for all of them';
/** By the code of the system's error. */
const LISTEN_ADVICE: Readonly<Record<string, string>> = {
  EADDRINUSE: 'Stop the other process, or choose another port with PORT (in the demo: --port)',
  EACCES: 'Set PORT to 1024 or more: lower ones are for root',
  EADDRNOTAVAIL: OTHER_HOST,
  ENOTFOUND: OTHER_HOST,
  EAI_AGAIN: OTHER_HOST,
  EINVAL: OTHER_HOST,
};
const LISTEN_REASON: Readonly<Record<string, string>> = {
  EADDRINUSE: 'it is already in use',
  EACCES: 'this user may not use it',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'the name of the host cannot be resolved',
  EINVAL: 'the address is not valid',
};

/**
 * Listens on the port of a service that is starting, and responds to probes: alive, but not started yet.
 * @throws {MonitorError} `port_taken`
 */
export async function holdPort(port: number, host: string): Promise<Server> {
  const server = createServer((request, response) => {
    const alive = request.url?.split('?', 1)[0] === '/health/live';
    response.writeHead(alive ? 200 : 503, {
      ...RESPONSE_HEADERS,
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
    const code = errno(cause) ?? '';
    const advice = LISTEN_ADVICE[code];
    if (!advice) throw cause;
    const message = `Cannot listen on port ${port} of ${host}: ${LISTEN_REASON[code]}`;
    const context = { port, host, inUse: code === 'EADDRINUSE' };
    throw new MonitorError('port_taken', message, context, false, { cause, advice });
  }
}

/** Idempotent. */
export async function releasePort(server: Server): Promise<void> {
  if (!server.listening) return;
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
}
