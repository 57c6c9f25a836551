import { HttpService } from '@nestjs/axios';
import axios from 'axios';
import { type CatalogSourceOptions, openCatalog } from '../../../src/enrichment/catalog-source.js';
import type { CatalogSource } from '../../../src/enrichment/parse-catalog.js';
import { CatalogServer } from '../../support/catalog-server.js';
import { type Fault, FaultProxy } from '../../support/fault-proxy.js';
import { eventsDuring } from '../../support/recorded-events.js';

const MAX_BYTES = 4 * 2 ** 20;
const HOUR = 3_600_000;
let server: CatalogServer;
let proxy: FaultProxy;
beforeEach(async () => {
  server = await CatalogServer.start();
  server.metrics = [{ metric_name: 'accuracy', display_name: 'Accuracy', higher_is_better: true }];
  server.thresholds = [
    { metric_name: 'accuracy', critical_threshold: 0.7, warning_threshold: 0.8 },
    { metric_name: 'accuracy', experiment_id: '7', critical_threshold: 0.9, warning_threshold: 0.95 },
    { metric_name: 'accuracy', experiment_id: '8', critical_threshold: 0.1, warning_threshold: 0.2 },
  ];
  proxy = await FaultProxy.start(server.url);
});
afterEach(async () => {
  await proxy.close();
  await server.close();
});

const open = (special: Partial<CatalogSourceOptions> = {}): CatalogSource =>
  openCatalog(new HttpService(axios.create()), {
    metricsUrl: `${proxy.url}/api`,
    thresholdsUrl: `${proxy.url}/api/thresholds`,
    apiKey: 'secret',
    maxRetries: 2,
    timeoutMs: 60_000,
    maxBytes: MAX_BYTES,
    backoffMs: 1,
    breakMs: HOUR,
    ...special,
  });
const QUERY = { metrics: ['accuracy', 'loss'], experiments: ['7'] };
const read = (source = open()) => source.read([QUERY]);

describe('the catalog behind HTTP', () => {
  it('publishes the outcome of each request', async () => {
    proxy.decide = ({ number }) => (number === 1 ? { answer: { status: 503, body: '' } } : undefined);
    const outcomes = await eventsDuring(() => read(open({ thresholdsUrl: undefined })));
    expect(outcomes).toEqual(
      ['failed', 'answered'].map((outcome) => ({ type: 'request', upstream: 'catalog', outcome })),
    );
  });

  it.each([401, 403])('reports that it denies a request (%p)', async (status) => {
    proxy.decide = () => ({ answer: { status, body: '' } });
    const outcomes = await eventsDuring(() => read(open({ thresholdsUrl: undefined })));
    expect(outcomes).toContainEqual({ type: 'denied', upstream: 'catalog' });
  });

  it.each([false, true])('is queried with the API key (inside `response`: %p)', async (wrapped) => {
    server.apiKey = 'secret';
    server.wrapped = wrapped;
    const { metadata, thresholds, rejectedRows } = await read();
    expect(metadata.map(({ display_name }) => display_name)).toEqual(['Accuracy']);
    expect(thresholds.map((row) => [row.experiment_id, row.critical_threshold])).toEqual([
      [null, 0.7],
      ['7', 0.9],
    ]);
    expect(rejectedRows).toEqual([]);
    expect(server.requests.map(({ path, body }) => [path, body])).toEqual(
      expect.arrayContaining([
        ['/api/metrics/batch', { metric_names: ['accuracy', 'loss'] }],
        ['/api/thresholds/batch', { metrics: ['accuracy', 'loss'], experiments: ['7'] }],
      ]),
    );
  });

  it('is queried for at most 200 names and experiments per request, without duplicate rows', async () => {
    const names = Array.from({ length: 401 }, (_, i) => (i === 400 ? 'accuracy' : `m${i}`));
    const experiments = Array.from({ length: 201 }, (_, i) => `${i}`);
    const { metadata, thresholds } = await open().read([{ metrics: names, experiments }]);
    expect(metadata).toHaveLength(1);
    expect(thresholds).toHaveLength(3);
    const sent = (path: string) => server.requests.filter((request) => request.path.includes(path));
    expect(sent('metrics').map(({ body }) => body.metric_names?.length)).toEqual([200, 200, 1]);
    expect(sent('thresholds')).toHaveLength(6);
  });

  it('sends no request for a list without a URL', async () => {
    const source = open({ metricsUrl: undefined });
    expect(source.queriedLists).toEqual({ metrics: false, thresholds: true });
    const { metadata, thresholds } = await read(source);
    expect(metadata).toEqual([]);
    expect(thresholds).toHaveLength(2);
  });
});

const json = { 'content-type': 'application/json' };
const html = (status: number): Fault => ({ answer: { status, body: '<html>Bad gateway</html>' } });

describe('a failing catalog', () => {
  it.each<[string, Fault]>([
    ['502 with HTML', html(502)],
    ['503', html(503)],
    ['429', html(429)],
    ['HTML with status 200', html(200)],
    ['truncated JSON', { answer: { status: 200, headers: json, body: '{"metrics": [' } }],
    ['a wrong type', { answer: { status: 200, headers: json, body: '{"metrics": 1, "thresholds": 1}' } }],
    ['a response without the list', { answer: { status: 200, headers: json, body: '{"error": "later"}' } }],
    ['a reset before the response', { end: { how: 'reset' } }],
    ['a reset in the body', { end: { after: 20, how: 'reset' } }],
    ['a body that ends too early', { end: { after: 20, how: 'close' } }],
  ])('is retried after %s', async (_, fault) => {
    const failed = new Set<string>();
    proxy.decide = ({ url }) => {
      if (failed.has(url)) return undefined;
      failed.add(url);
      return fault;
    };
    const { metadata, thresholds } = await read();
    expect([metadata.length, thresholds.length]).toEqual([1, 2]);
    expect(proxy.requests).toHaveLength(4);
  });

  it.each<[string, Fault]>([
    ['hangs before the response', { end: { how: 'hang' } }],
    ['hangs in the body', { end: { after: 20, how: 'hang' } }],
    ['sends one byte at a time', { drip: { bytes: 1, everyMs: 20 } }],
  ])('times out when it %s', async (_, fault) => {
    proxy.decide = () => fault;
    await expect(read(open({ maxRetries: 0, timeoutMs: 200 }))).rejects.toMatchObject({
      code: 'catalog_unreachable',
      message: expect.stringContaining('within 0.2 s'),
    });
  });

  it('may respond late', async () => {
    proxy.decide = () => ({ delayMs: 50 });
    expect((await read()).thresholds).toHaveLength(2);
  });

  it.each([
    ['seconds', '0'],
    ['a date', 'Thu, 01 Jan 1970 00:00:00 GMT'],
  ])('is retried after its Retry-After, in %s', async (_, header) => {
    const failed = new Set<string>();
    proxy.decide = ({ url }) => {
      if (failed.has(url)) return undefined;
      failed.add(url);
      return { answer: { status: 429, headers: { 'retry-after': header } } };
    };
    // The default backoff would take 30 s.
    expect((await read(open({ backoffMs: HOUR }))).thresholds).toHaveLength(2);
  });

  it.each([401, 403, 404, 422])('is not retried after %p', async (status) => {
    proxy.decide = () => ({ answer: { status, body: 'no' } });
    await expect(read(open({ metricsUrl: undefined }))).rejects.toMatchObject({
      code: 'catalog_refused',
      retryable: false,
      message: expect.stringMatching(`responded with ${status}: no`),
    });
    expect(proxy.requests).toHaveLength(1);
  });

  it('does not follow a redirect, which would leak the API key', async () => {
    const other = await CatalogServer.start();
    try {
      proxy.decide = () => ({ answer: { status: 307, headers: { location: `${other.url}/api` } } });
      await expect(read()).rejects.toMatchObject({
        code: 'catalog_refused',
        message: expect.stringContaining('not followed'),
      });
      expect(other.requests).toEqual([]);
    } finally {
      await other.close();
    }
  });

  it('gets no more requests after it failed repeatedly', async () => {
    proxy.decide = () => html(503);
    const source = open({ metricsUrl: undefined });
    for (let i = 0; i < 5; i++) await expect(read(source)).rejects.toMatchObject({ retryable: true });
    expect(proxy.requests).toHaveLength(5);
    await expect(read(source)).rejects.toMatchObject({ code: 'catalog_away' });
    expect(proxy.requests).toHaveLength(5);
  });

  it.each([[503], [403], [302]])('that repeats the API key with %d does not reveal it', async (status) => {
    const location = 'https://login.example/?key=secret';
    proxy.decide = ({ headers }) => ({
      answer: {
        status,
        ...(status === 302 ? { headers: { location } } : {}),
        body: `denied: ${headers.authorization}`,
      },
    });
    const failure = await read(open({ metricsUrl: undefined, maxRetries: 0 })).catch((error) => error);
    expect(failure.message).toContain('denied: Bearer ***');
    expect(JSON.stringify([failure.message, failure.context])).not.toContain('secret');
  });

  it('whose proxy repeats the credentials that it got does not reveal them', async () => {
    proxy.decide = ({ headers }) => ({
      answer: { status: 407, body: `denied: ${headers['proxy-authorization']}, p@ss/word` },
    });
    const url = 'http://catalog.example/api';
    const http = proxy.url.replace('//', '//me:p%40ss%2Fword@');
    const proxies = { http, https: undefined, except: [] };
    const source = open({ metricsUrl: undefined, thresholdsUrl: url, proxies });
    const failure = await read(source).catch((error) => error);
    expect(failure.message).toContain('denied: Basic ***, ***');
  });

  it('that repeats the API key in a response that is not JSON does not reveal a part of it', async () => {
    for (const body of ['Bearer secret', `[{"a": "${'x'.repeat(99)} secret}`, '{"key": "secret"}']) {
      proxy.decide = () => ({ answer: { status: 200, body } });
      const failure = await read(open({ metricsUrl: undefined, maxRetries: 0 })).catch((error) => error);
      expect([failure.code, failure.message]).toEqual([
        'catalog_unreadable',
        expect.stringMatching(/sent an unreadable response: it repeats the credentials$/),
      ]);
    }
  });

  it('is queried again after the break', async () => {
    proxy.decide = () => html(503);
    const source = open({ metricsUrl: undefined, maxRetries: 9, breakMs: 0 });
    await expect(read(source)).rejects.toMatchObject({ code: 'catalog_busy' });
    proxy.decide = () => undefined;
    expect((await read(source)).thresholds).toHaveLength(2);
  });

  it('that sends 50 MB is rejected without using 50 MB of memory', async () => {
    const chunk = Buffer.alloc(64 * 1024, ' ');
    let sent = 0;
    let peak = 0;
    async function* endless(): AsyncIterable<Buffer> {
      for (yield Buffer.from('{"thresholds": ['); sent < 50 * 2 ** 20; sent += chunk.length) {
        peak = Math.max(peak, process.memoryUsage.rss());
        yield chunk;
      }
    }
    await read();
    const before = process.memoryUsage.rss();
    proxy.decide = () => ({ forward: false, answer: { status: 200, headers: json, body: endless() } });
    await expect(read(open({ metricsUrl: undefined }))).rejects.toMatchObject({ code: 'catalog_too_big' });
    expect(peak - before).toBeLessThan(50 * 2 ** 20);
    expect(sent).toBeLessThan(50 * 2 ** 20);
  });
});
