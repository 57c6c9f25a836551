import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { eventsDuring } from '../../support/recorded-events.js';
import { type Answer, answer, ScriptedServer } from '../../support/scripted-server.js';
import { ClientFixture, DATE, PAGE, page, QUERY } from './client-fixture.js';

const mlflow = new ClientFixture();

describe('a temporary failure', () => {
  it.each([408, 429, 500, 502, 503, 504])('with status %d is retried', async (status) => {
    mlflow.server.script = [answer(status), page()];
    expect((await mlflow.search()).bytes).toBe(PAGE.length);
    expect(mlflow.server.received).toHaveLength(2);
    expect(mlflow.server.received[1]?.body).toBe(mlflow.server.received[0]?.body);
  });

  it('is published as a failed request, unlike a denied one', async () => {
    const outcomesOf = async (...script: Answer[]) => {
      mlflow.server.script = script;
      return (await eventsDuring(() => mlflow.search())).map((event) =>
        event.type === 'request' && event.upstream === 'mlflow' ? event.outcome : event,
      );
    };
    expect(await outcomesOf(answer(503), page())).toEqual(['failed', 'answered']);
    const denied = { type: 'denied', upstream: 'mlflow' };
    expect(await outcomesOf(answer(403))).toEqual(['answered', denied]);
    expect(await outcomesOf(answer(401))).toEqual(['failed', denied]);
    expect(await outcomesOf(answer(404))).toEqual(['answered']);
  });

  it('is retried after waits that grow, with jitter', async () => {
    mlflow.server.script = [answer(500)];
    await mlflow.search().catch(() => undefined);
    expect(mlflow.waits).toHaveLength(3);
    for (const [i, wait] of mlflow.waits.entries()) {
      expect(wait).toBeGreaterThanOrEqual(1_000 * 2 ** i);
      expect(wait).toBeLessThanOrEqual(2_000 * 2 ** i);
    }
  });

  it.each([
    ['7', 7_000],
    ['0', 0],
    ['0.5', 500],
    // Longer than the service waits for a server: a retry after the longest usual wait.
    ['3600', 120_000],
    ['600', 600_000],
    ['Tue, 10 Mar 2026 15:30:09 GMT', 9_000],
    ['Tue, 10 Mar 2026 15:29:00 GMT', 0],
  ])('with Retry-After %s is retried after %d ms of the server’s clock', async (after, ms) => {
    mlflow.server.script = [answer(429, '', { 'Retry-After': after, Date: DATE }), page()];
    await mlflow.search();
    expect(mlflow.waits).toEqual([ms]);
  });

  it('uses up no retry while the server says when to come back', async () => {
    const busy = answer(429, '', { 'Retry-After': '60' });
    mlflow.server.script = [...Array<Answer>(9).fill(busy), page()];
    await mlflow.search({ maxRetries: 1 });
    expect(mlflow.waits).toEqual(Array(9).fill(60_000));
  });

  it.each(['', 'soon', '-5x'])(
    'with an invalid Retry-After %j is retried after the usual wait',
    async (after) => {
      mlflow.server.script = [answer(503, '', { 'Retry-After': after }), page()];
      await mlflow.search();
      expect(mlflow.waits[0]).toBeGreaterThanOrEqual(1_000);
    },
  );

  it('of every attempt throws a retryable error with the response', async () => {
    mlflow.server.script = [answer(503, '<h1>Down\n for maintenance</h1>')];
    await expect(mlflow.search()).rejects.toMatchObject({
      code: 'mlflow_busy',
      retryable: true,
      context: { status: 503, path: 'runs/search' },
      message: expect.stringContaining('503: <h1>Down for maintenance</h1>'),
    });
    expect(mlflow.server.received).toHaveLength(4);
  });

  it('is not retried if retries are disabled', async () => {
    mlflow.server.script = [answer(500)];
    await expect(mlflow.search({ maxRetries: 0 })).rejects.toMatchObject({ code: 'mlflow_busy' });
    expect(mlflow.server.received).toHaveLength(1);
    expect(mlflow.waits).toEqual([]);
  });
});

describe('a broken response', () => {
  const cut: [string, Answer][] = [
    [
      'ends before its length',
      (response) => response.writeHead(200, { 'Content-Length': 1000 }).write(PAGE, () => response.destroy()),
    ],
    [
      'ends before its last chunk',
      (response) => response.writeHead(200).write(PAGE, () => response.destroy()),
    ],
    ['ends before its headers', (response) => void response.destroy()],
    ['is half a page', page(PAGE.slice(0, -1))],
    ['is HTML', page('<!doctype html><title>Log in</title>', { 'Content-Type': 'text/html' })],
    ['is a list', page('[{"runs": []}]')],
    ['is empty', page('')],
    ['is cut and compressed', page(gzipSync(PAGE).subarray(0, 30), { 'Content-Encoding': 'gzip' })],
  ];

  it.each(cut)('that %s is retried, and nothing of it remains', async (_, broken) => {
    mlflow.server.script = [broken, page()];
    expect((await mlflow.search()).bytes).toBe(PAGE.length);
    expect(await readFile(mlflow.file, 'utf8')).toBe(PAGE);
    expect(mlflow.server.received).toHaveLength(2);
  });

  it.each(cut)('that %s every time throws a retryable error', async (_, broken) => {
    mlflow.server.script = [broken];
    const error = await mlflow.search({ maxRetries: 1 }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      retryable: true,
      code: expect.stringMatching(/^mlflow_(not_json|unreachable)$/),
    });
    expect(mlflow.server.received).toHaveLength(2);
  });

  it('is not retried on the connection that it broke', async () => {
    mlflow.server.script = [cut[0]?.[1] ?? page(), page(), page()];
    const client = mlflow.client();
    await client.searchRuns(QUERY, mlflow.file);
    expect((await client.searchRuns(QUERY, mlflow.file)).bytes).toBe(PAGE.length);
  });

  it('that is too big is not retried, and not kept in memory', async () => {
    let sent = 0;
    mlflow.server.script = [
      (response) => {
        response.writeHead(200);
        const more = () => {
          while (!response.destroyed && response.write('x'.repeat(1_000))) sent += 1_000;
        };
        response.on('drain', more);
        more();
      },
    ];
    await expect(mlflow.search()).rejects.toMatchObject({ code: 'page_too_big', retryable: false });
    expect(mlflow.server.received).toHaveLength(1);
    expect(sent).toBeLessThan(50_000_000);
  });

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ])('that is too big only when decompressed (%s) is cut off', async (encoding, compress) => {
    // 100 MB, of which the client needs little: the connection ends before the body does.
    const bomb = compress(Buffer.alloc(100_000_000, ' '));
    let ended: Promise<unknown> = Promise.resolve();
    mlflow.server.script = [
      (response) => {
        ended = once(response, 'close');
        response.writeHead(200, {
          Date: DATE,
          'Content-Encoding': encoding,
          'Content-Length': bomb.length + 1,
        });
        response.write(bomb);
      },
    ];
    await expect(mlflow.search()).rejects.toMatchObject({ code: 'page_too_big' });
    await ended;
  });
});

describe('an unresponsive server', () => {
  const { setTimeout, clearTimeout } = globalThis;
  const timers = new Map<number, () => void>();
  let armed: () => void;
  let count: number;
  /** No real timers: a timeout elapses when the test calls it. */
  beforeEach(() => {
    timers.clear();
    armed = () => undefined;
    count = 0;
    globalThis.setTimeout = ((end: () => void) => {
      timers.set(++count, end);
      armed();
      return count;
    }) as unknown as typeof setTimeout;
    globalThis.clearTimeout = ((id: number) => timers.delete(id)) as unknown as typeof clearTimeout;
  });
  afterEach(() => {
    Object.assign(globalThis, { setTimeout, clearTimeout });
  });
  const elapseTimeouts = () => {
    for (const end of timers.values()) end();
  };

  it.each([
    ['that sends nothing', () => elapseTimeouts()],
    ['that stops after its headers', (response) => response.writeHead(200).write('', elapseTimeouts)],
    [
      'that stops within a page',
      (response) => response.writeHead(200).write(PAGE.slice(0, 9), elapseTimeouts),
    ],
    ['that stops within an error', (response) => response.writeHead(500).write('<h1>', elapseTimeouts)],
  ] as [string, Answer][])('%s times out', async (_, silent) => {
    mlflow.server.script = [silent];
    await expect(mlflow.search({ maxRetries: 1 })).rejects.toMatchObject({
      code: 'mlflow_unreachable',
      retryable: true,
      message: expect.stringContaining('no data for 30 s'),
    });
    expect(mlflow.server.received).toHaveLength(2);
    expect(timers.size).toBe(0);
  });

  it('does not time out while it sends data: each chunk restarts the timeout', async () => {
    const parts = [...PAGE];
    mlflow.server.script = [
      async (response) => {
        response.writeHead(200);
        for (const part of parts) {
          const restarted = new Promise<void>((resolve) => {
            armed = resolve;
          });
          response.write(part);
          await restarted;
          expect(timers.size).toBe(1);
        }
        response.end();
      },
    ];
    expect((await mlflow.search()).bytes).toBe(PAGE.length);
    expect(count).toBe(1 + parts.length);
    expect(timers.size).toBe(0);
  });

  it('that refuses connections is named in the error', async () => {
    const { uri } = mlflow.server;
    await mlflow.server.close();
    await expect(mlflow.search({ uri, maxRetries: 1 })).rejects.toMatchObject({
      code: 'mlflow_unreachable',
      retryable: true,
      message: expect.stringMatching(new RegExp(`^MLflow at ${uri} is unreachable: .*ECONNREFUSED`)),
    });
    expect(mlflow.waits).toHaveLength(1);
    mlflow.server = await ScriptedServer.start();
  });
});

describe('a permanent failure', () => {
  it.each([
    [400, 'mlflow_refused'],
    [401, 'mlflow_unauthorized'],
    [403, 'mlflow_refused'],
    [404, 'mlflow_refused'],
    [501, 'mlflow_refused'],
  ])('with status %d is not retried', async (status, code) => {
    mlflow.server.script = [
      answer(status, '{"error_code": "PERMISSION_DENIED", "message": "Permission denied"}'),
    ];
    await expect(mlflow.search()).rejects.toMatchObject({
      code,
      retryable: false,
      context: { status },
      message: expect.stringContaining('Permission denied'),
    });
    expect(mlflow.server.received).toHaveLength(1);
  });

  it.each([[{ token: 't0ken-of-mlflow' }], [{ username: 'me', password: 'pass/word' }]])(
    'that repeats the credentials %p does not reveal them',
    async (credentials) => {
      mlflow.server.script = [
        (response, received) =>
          answer(403, `denied: ${received.headers.authorization}, pass/word, pass%2Fword`)(
            response,
            received,
          ),
      ];
      const failure = await mlflow.search(credentials).catch((error) => error);
      expect(failure.message).toMatch(/denied: (Bearer|Basic) \*\*\*/);
      const [secret = ''] = Object.values(credentials).slice(-1);
      expect(failure.message).not.toContain(secret);
      expect(failure.message).not.toContain(encodeURIComponent(secret));
    },
  );

  it('of a proxy that repeats its credentials does not reveal them', async () => {
    mlflow.server.script = [
      (response, received) =>
        answer(407, `denied: ${received.headers['proxy-authorization']}, p&amp;ss`)(response, received),
    ];
    const http = mlflow.server.uri.replace('//', '//me:p%26ss@');
    const proxies = { http, https: undefined, except: [] };
    const failure = await mlflow
      .search({ uri: 'http://mlflow.example:5000', proxies })
      .catch((error) => error);
    expect(failure.message).toContain('denied: Basic ***, ***');
  });

  it.each([301, 302, 307, 308])(
    'is also a redirect (%d): it could send credentials to another server',
    async (status) => {
      mlflow.server.script = [answer(status, '', { Location: `${mlflow.server.uri}/elsewhere` }), page()];
      await expect(mlflow.search({ token: 't0ken' })).rejects.toMatchObject({
        code: 'mlflow_refused',
        context: { status },
      });
      expect(mlflow.server.received).toHaveLength(1);
    },
  );

  it('with a long text is truncated', async () => {
    mlflow.server.script = [(response) => void response.writeHead(400).end('x'.repeat(5_000_000))];
    const error = await mlflow.search().catch((caught: unknown) => caught);
    expect(error).toHaveProperty('message', expect.stringMatching(/^.{1,400}$/));
  });
});
