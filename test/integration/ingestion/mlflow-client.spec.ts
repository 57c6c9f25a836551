import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { HttpService } from '@nestjs/axios';
import { loadSettings } from '../../../src/config/settings.js';
import { createMlflowClient, type HttpMlflowClient } from '../../../src/ingestion/mlflow-client.js';
import { type Answer, answer } from '../../support/scripted-server.js';
import { ClientFixture, DATE, PAGE, page, QUERY } from './client-fixture.js';

const mlflow = new ClientFixture();
const bodyOf = (n: number): unknown => JSON.parse(mlflow.server.received[n]?.body ?? '');

describe('a search of runs', () => {
  it('requests one page with all parameters, and stores the bytes unchanged', async () => {
    mlflow.server.script = [page()];
    const { bytes, date, began } = await mlflow.search();
    expect(mlflow.server.received).toHaveLength(1);
    expect(mlflow.server.received[0]).toMatchObject({ method: 'POST', url: '/api/2.0/mlflow/runs/search' });
    expect(bodyOf(0)).toEqual({
      experiment_ids: ['1', '2'],
      filter: 'attributes.start_time >= 5',
      max_results: 100,
      run_view_type: 'ALL',
      order_by: ['attributes.start_time ASC'],
    });
    expect(await readFile(mlflow.file, 'utf8')).toBe(PAGE);
    expect(bytes).toBe(PAGE.length);
    expect(date).toBe(Date.parse(DATE));
    expect(began).toBeLessThanOrEqual(date);
    expect(Number.isSafeInteger(began)).toBe(true);
  });

  it('requests the page of a token', async () => {
    mlflow.server.script = [page()];
    await mlflow.client().searchRuns({ ...QUERY, page_token: 'next' }, mlflow.file);
    expect(bodyOf(0)).toMatchObject({ page_token: 'next', max_results: 100 });
  });

  it('sends no Origin header: servers deny unknown origins', async () => {
    mlflow.server.script = [page()];
    await mlflow.search();
    expect(mlflow.server.received[0]?.headers).not.toHaveProperty('origin');
    expect(mlflow.server.received[0]?.headers).not.toHaveProperty('referer');
  });

  it.each([
    ['no credentials', {}, undefined],
    [
      'user and password',
      { username: 'ada', password: 's:crêt' },
      `Basic ${Buffer.from('ada:s:crêt').toString('base64')}`,
    ],
    ['a user without a password', { username: 'ada' }, `Basic ${Buffer.from('ada:').toString('base64')}`],
    ['a token', { token: 't0ken' }, 'Bearer t0ken'],
    [
      'both',
      { username: 'ada', password: 'p', token: 't0ken' },
      `Basic ${Buffer.from('ada:p').toString('base64')}`,
    ],
  ])('authenticates with %s', async (_, options, authorization) => {
    mlflow.server.script = [page()];
    await mlflow.search(options);
    expect(mlflow.server.received[0]?.headers.authorization).toBe(authorization);
  });

  it('accepts a page that a proxy has compressed', async () => {
    for (const [headers, compress] of [
      [{ 'Content-Encoding': 'gzip' }, gzipSync],
      [{ 'Content-Encoding': 'gzip', 'Transfer-Encoding': 'chunked' }, gzipSync],
      [{ 'Content-Encoding': 'deflate' }, deflateSync],
      [{ 'Content-Encoding': 'br' }, brotliCompressSync],
    ] as const) {
      const body = compress(PAGE);
      mlflow.server.script = [
        (response) =>
          response
            .writeHead(200, {
              ...headers,
              ...('Transfer-Encoding' in headers ? {} : { 'Content-Length': body.length }),
            })
            .end(body),
      ];
      expect((await mlflow.search()).bytes).toBe(PAGE.length);
      expect(await readFile(mlflow.file, 'utf8')).toBe(PAGE);
    }
    expect(mlflow.waits).toEqual([]);
    expect(mlflow.server.received[0]?.headers['accept-encoding']).toBe('gzip, deflate, br');
  });

  it('measures its duration with a monotonic clock', async () => {
    const { now } = Date;
    mlflow.server.script = [
      (response, received) => {
        Date.now = () => now() - 3_600_000;
        page()(response, received);
      },
    ];
    const { date, began } = await mlflow.search().finally(() => {
      Date.now = now;
    });
    expect(began).toBeLessThanOrEqual(date);
    expect(began).toBeGreaterThan(date - 60_000);
  });
});

describe('concurrent requests', () => {
  it('are limited, and sent in call order', async () => {
    const held: (() => void)[] = [];
    let full = () => {};
    const allHeld = new Promise<void>((resolve) => {
      full = resolve;
    });
    mlflow.server.script = [
      (response, received) => {
        held.push(() => page()(response, received));
        if (held.length === 3) full();
      },
    ];
    const client = mlflow.client({ concurrency: 3 });
    const searches = Array.from({ length: 8 }, (_, i) =>
      client.searchRuns({ ...QUERY, max_results: i + 1 }, join(mlflow.folder, `${i}.json`)),
    );
    await allHeld;
    // A fourth request would have arrived before this one of another client.
    mlflow.server.script = [page()];
    await mlflow.search();
    const received = mlflow.server.received.map(({ body }) => JSON.parse(body).max_results);
    expect(received.sort((a, b) => a - b)).toEqual([1, 2, 3, QUERY.max_results]);
    for (const respond of held) respond();
    await Promise.all(searches);
    expect(mlflow.server.received).toHaveLength(9);
  });

  it('of several clients of a process have one limit', async () => {
    let hold = () => {};
    const isHeld = new Promise<() => void>((resolve) => {
      mlflow.server.script = [(response, received) => resolve(() => page()(response, received))];
    });
    isHeld.then((respond) => {
      hold = respond;
    });
    const settings = loadSettings({ MLFLOW_TRACKING_URI: mlflow.server.uri, MLFLOW_CONCURRENCY: '1' });
    const searches = [1, 2].map((max_results) =>
      createMlflowClient(new HttpService(), settings).searchRuns(
        { ...QUERY, max_results },
        join(mlflow.folder, `${max_results}.json`),
      ),
    );
    await isHeld;
    // The second request would have arrived before this one of another process.
    mlflow.server.script = [page()];
    await mlflow.search();
    const received = mlflow.server.received.map(({ body }) => JSON.parse(body).max_results);
    expect(received).toEqual([1, QUERY.max_results]);
    hold();
    await Promise.all(searches);
    expect(mlflow.server.received).toHaveLength(3);
  });

  it('release their slots when they fail', async () => {
    mlflow.server.script = [answer(403), answer(403), page()];
    const client = mlflow.client({ concurrency: 1 });
    const [first, second, third] = await Promise.allSettled(
      [1, 2, 3].map(() => client.searchRuns(QUERY, mlflow.file)),
    );
    expect([first?.status, second?.status, third?.status]).toEqual(['rejected', 'rejected', 'fulfilled']);
  });

  it('keep no slot during a wait before a retry', async () => {
    mlflow.server.script = [answer(503), page()];
    const search = (client: HttpMlflowClient, max_results: number) =>
      client.searchRuns({ ...QUERY, max_results }, join(mlflow.folder, `${max_results}.json`));
    let other: Promise<unknown> = Promise.resolve();
    const client: HttpMlflowClient = mlflow.client({
      concurrency: 1,
      // The wait ends when the other request is answered: with its slot kept, it would never end.
      sleep: async () => void (await other),
    });
    const first = search(client, 1);
    other = search(client, 2);
    await first;
    expect(mlflow.server.received.map(({ body }) => JSON.parse(body).max_results)).toEqual([1, 2, 1]);
  });

  it('are sent at the rate of the limit, retries included', async () => {
    mlflow.server.script = [answer(500), page()];
    const client = mlflow.client({ maxPerSecond: 0.1, backoffSeconds: 0, now: () => 5 });
    await client.searchRuns(QUERY, mlflow.file);
    await client.searchRuns(QUERY, mlflow.file);
    // The wait before the retry, that of the retry for its turn, and that of the second request.
    expect(mlflow.waits).toEqual([0, 10_000, 20_000]);
  });

  it('end with their last error, and release their slots, if the service stops during a wait', async () => {
    const stopping = new AbortController();
    mlflow.server.script = [answer(503), page()];
    const client = mlflow.client({
      concurrency: 1,
      stopping: stopping.signal,
      sleep: async () => stopping.abort(),
    });
    await expect(client.searchRuns(QUERY, mlflow.file)).rejects.toMatchObject({ code: 'mlflow_busy' });
    expect(mlflow.server.received).toHaveLength(1);
    expect((await client.searchRuns(QUERY, mlflow.file)).bytes).toBe(PAGE.length);
  });
});

describe('the list of experiments', () => {
  const experiment = {
    experiment_id: '0',
    name: 'Default',
    lifecycle_stage: 'active',
    creation_time: '1700000000000',
  };
  const list = (experiments: object[] | undefined, next_page_token?: string, headers = {}): Answer =>
    page(JSON.stringify({ experiments, next_page_token }), headers);

  it('is requested page by page, with deleted ones, and is as old as its first page', async () => {
    const later = 'Tue, 10 Mar 2026 15:31:00 GMT';
    mlflow.server.script = [
      list(
        [
          experiment,
          {
            experiment_id: '1',
            name: 'a',
            lifecycle_stage: 'deleted',
            tags: [{ key: 'k', value: 'v' }, { key: 'blank' }],
          },
        ],
        'next',
      ),
      list([{ experiment_id: '2', name: 'b', lifecycle_stage: 'active' }], '', { Date: later }),
    ];
    const { experiments, date } = await mlflow.client().listExperiments();
    expect(mlflow.server.received.map(({ url }) => url)).toEqual(
      Array(2).fill('/api/2.0/mlflow/experiments/search'),
    );
    expect([bodyOf(0), bodyOf(1)]).toEqual([
      { view_type: 'ALL', max_results: 1000 },
      { view_type: 'ALL', max_results: 1000, page_token: 'next' },
    ]);
    expect(experiments).toEqual([
      {
        experiment_id: '0',
        name: 'Default',
        lifecycle_stage: 'active',
        tags: {},
        creation_time: 1_700_000_000_000,
      },
      {
        experiment_id: '1',
        name: 'a',
        lifecycle_stage: 'deleted',
        tags: { k: 'v', blank: '' },
        creation_time: null,
      },
      { experiment_id: '2', name: 'b', lifecycle_stage: 'active', tags: {}, creation_time: null },
    ]);
    expect(date).toBe(Date.parse(DATE));
  });

  it.each(['{}', '{"experiments": null, "next_page_token": null}'])('may be empty: %s', async (body) => {
    mlflow.server.script = [page(body)];
    expect((await mlflow.client().listExperiments()).experiments).toEqual([]);
  });

  it('is read with null for what is empty, a number as an id, and control characters that are not escaped', async () => {
    mlflow.server.script = [
      page(
        '{"experiments": [{"experiment_id": 7, "name": "a\n\u0001", "lifecycle_stage": "active", "creation_time": null, "tags": null}]}',
      ),
    ];
    expect((await mlflow.client().listExperiments()).experiments).toEqual([
      { experiment_id: '7', name: 'a\n\u0001', lifecycle_stage: 'active', tags: {}, creation_time: null },
    ]);
  });

  it('retries only the page that failed', async () => {
    mlflow.server.script = [list([experiment], 'next'), answer(503), list([])];
    expect((await mlflow.client().listExperiments()).experiments).toHaveLength(1);
    expect(mlflow.server.received).toHaveLength(3);
  });

  it.each([
    ['HTML', '<html></html>'],
    ['truncated JSON', '{"experiments": [{"experiment_id": "0"'],
    ['another document', '{"experiments": [{"id": 0}]}'],
  ])('that is %s is retried, then throws an error', async (_, body) => {
    mlflow.server.script = [page(body)];
    await expect(mlflow.client({ maxRetries: 1 }).listExperiments()).rejects.toMatchObject({
      code: 'mlflow_not_json',
      retryable: true,
      message: expect.stringContaining('experiments/search'),
    });
    expect(mlflow.server.received).toHaveLength(2);
  });

  it('of a server that always returns another page token ends with an error', async () => {
    let pages = 0;
    mlflow.server.script = [(response, received) => list([], `again${pages++}`)(response, received)];
    await expect(mlflow.client().listExperiments()).rejects.toMatchObject({ code: 'too_many_pages' });
    expect(mlflow.server.received).toHaveLength(1_000);
  });

  it('of a server that repeats a page token ends at once', async () => {
    mlflow.server.script = [list([], 'again')];
    await expect(mlflow.client().listExperiments()).rejects.toMatchObject({ code: 'repeated_page' });
    expect(mlflow.server.received).toHaveLength(2);
  });

  it('beyond the limit is requested in smaller pages, and all experiments are read', async () => {
    const all = Array.from({ length: 900 }, (_, i) => ({
      experiment_id: String(i),
      name: 'x'.repeat(100),
      lifecycle_stage: 'active',
    }));
    mlflow.server.script = [
      (response, received) => {
        const { max_results, page_token = '0' } = JSON.parse(received.body);
        const end = Number(page_token) + max_results;
        const experiments = all.slice(Number(page_token), end);
        const next = end < all.length ? { next_page_token: String(end) } : {};
        page(JSON.stringify({ experiments, ...next }))(response, received);
      },
    ];
    const { experiments } = await mlflow.client({ maxPageBytes: 40_000 }).listExperiments();
    expect(experiments.map(({ experiment_id }) => experiment_id)).toEqual(
      all.map(({ experiment_id }) => experiment_id),
    );
  });

  it('beyond the limit of all pages names the setting', async () => {
    let pages = 0;
    const experiment = { experiment_id: '1', name: 'x'.repeat(9_000), lifecycle_stage: 'active' };
    mlflow.server.script = [(response, received) => list([experiment], `t${pages++}`)(response, received)];
    await expect(mlflow.client().listExperiments()).rejects.toMatchObject({
      code: 'experiments_too_big',
      message: expect.stringContaining('MAX_PAGE_MB'),
    });
    expect(pages).toBeLessThan(10);
  });
});
