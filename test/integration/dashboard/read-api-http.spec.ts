import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { EXAMPLES } from '../../../src/dashboard/contract/examples.js';
import { READ_API } from '../../../src/dashboard/contract/read-api.js';
import { RulebookSync } from '../../../src/enrichment/rulebook-sync.js';
import { DuckSession } from '../../../src/storage/duck.js';
import { type HardCases, HOSTILE, HOUR, NOW, openHardCases } from './hard-cases.js';

Logger.overrideLogger(false);
const iso = (ms: number) => new Date(ms).toISOString();
const SERIES = { application: HOSTILE, metric: 'recall' };

let cases: HardCases;
beforeAll(async () => {
  cases = await openHardCases();
});
afterAll(() => cases.close());

describe('a request that cannot be answered', () => {
  const problem = async (path: string, query: Record<string, string>) => {
    const response = await cases.get(path, query);
    expect(response.headers.get('Content-Type')).toBe('application/problem+json; charset=utf-8');
    const body = (await response.json()) as {
      status: number;
      errors?: { pointer: string }[];
      request_id: string;
    };
    expect(body.request_id).toBe(response.headers.get('X-Request-Id'));
    return [body.status, ...(body.errors ?? []).map(({ pointer }) => pointer)];
  };

  it.each<[string, Record<string, string>, string]>([
    ['/api/v1/series', { metric: 'recall' }, '#/application'],
    ['/api/v1/series', { ...SERIES, application: '' }, '#/application'],
    ['/api/v1/series', { ...SERIES, from: 'yesterday' }, '#/from'],
    ['/api/v1/series', { ...SERIES, from: iso(NOW), to: iso(NOW) }, '#/from'],
    ['/api/v1/series', { ...SERIES, from: '2020-01-01T00:00:00Z' }, '#/from'],
    ['/api/v1/series', { ...SERIES, to: '0000-01-01T00:00:00Z' }, '#/from'],
    ['/api/v1/series', { ...SERIES, max_points: '1e3' }, '#/max_points'],
    ['/api/v1/series', { ...SERIES, max_points: '99' }, '#/max_points'],
    ['/api/v1/series', { ...SERIES, format: 'xlsx' }, '#/format'],
    ['/api/v1/series', { ...SERIES, nonsense: '1' }, '#'],
    ['/api/v1/metrics', { application: HOSTILE, days: '91' }, '#/days'],
    ['/api/v1/runs', { application: HOSTILE, limit: '0' }, '#/limit'],
    ['/api/v1/runs', { application: HOSTILE, cursor: 'W10' }, '#/cursor'],
    ['/api/v1/runs', { application: HOSTILE, status: 'red' }, '#/status'],
    ['/api/v1/applications', { cursor: '!' }, '#/cursor'],
    ['/api/v1/run', { run_id: 'run000001', day: '2026-02-30' }, '#/day'],
  ])('%s %j names the parameter', async (path, query, pointer) => {
    expect(await problem(path, query)).toEqual([400, pointer]);
  });

  it.each<[string, Record<string, string>]>([
    ['/api/v1/application', { application: 'nobody' }],
    ['/api/v1/metrics', { application: 'nobody' }],
    ['/api/v1/metrics', { application: HOSTILE, metric: 'nothing' }],
    ['/api/v1/series', { application: 'nobody', metric: 'recall' }],
    ['/api/v1/series', { application: HOSTILE, metric: 'Recall' }],
    ['/api/v1/runs', { application: 'nobody' }],
    ['/api/v1/forecast', { application: 'nobody' }],
    ['/api/v1/forecast', { application: HOSTILE, metric: 'nothing' }],
    ['/api/v1/run', { run_id: 'nobody', day: '2026-03-10' }],
    ['/api/v1/run', { run_id: 'run000001', day: '1026-03-10' }],
  ])('%s %j has no such thing', async (path, query) => {
    expect(await problem(path, query)).toEqual([404]);
  });
});

describe('the OpenAPI document', () => {
  it('has every request with its parameters, and examples that match the schemas', async () => {
    const { json } = await cases.service.request('GET', '/docs/openapi.json');
    const { paths } = json as { paths: Record<string, { get?: Operation }> };
    for (const path of Object.keys(READ_API) as (keyof typeof READ_API)[]) {
      const { query, response } = READ_API[path];
      const operation = paths[path]?.get;
      expect(operation?.parameters.map(({ name, in: place }) => [name, place])).toEqual(
        Object.keys(query.shape).map((name) => [name, 'query']),
      );
      const { schema, example } = operation?.responses[200]?.content['application/json'] ?? {};
      expect(Object.keys(schema?.properties ?? {})).toEqual(Object.keys(response.shape));
      expect(response.strict().parse(example)).toEqual(EXAMPLES[path]);
      expect(Object.keys(operation?.responses ?? {})).toEqual([
        '200',
        '400',
        '404',
        ...('format' in query.shape ? ['406'] : []),
      ]);
    }
    const parameters = paths['/api/v1/series']?.get?.parameters ?? [];
    expect(parameters.find(({ name }) => name === 'max_points')).toMatchObject({
      required: false,
      description: 'Longer series are thinned. 5000 by default.',
      schema: { type: 'integer', minimum: 100, maximum: 50_000, example: 5_000 },
    });
    expect(parameters.find(({ name }) => name === 'application')).toMatchObject({ required: true });
  });
});

interface Operation {
  readonly parameters: readonly { readonly name: string; readonly in: string }[];
  readonly responses: Record<
    string,
    { readonly content: Record<string, { schema?: { properties: object }; example?: unknown }> }
  >;
}

describe('a download', () => {
  it('as CSV has the rows of the JSON, and no text that a spreadsheet takes for a formula', async () => {
    const { columns } = await cases.read('/api/v1/series', SERIES);
    const response = await cases.get('/api/v1/series', { ...SERIES, format: 'csv' });
    expect(response.headers.get('Content-Disposition')).toBe(
      'attachment; filename=fraud_scoring_100_x_b_-recall.csv',
    );
    expect(response.headers.get('Content-Type')).toBe('text/csv; charset=utf-8; header=present');
    const text = await response.text();
    expect(text.split('\n')[0]).toBe(
      'timestamp,application,metric_name,value,status,invalid_kind,moving_avg,forecast,critical_threshold,warning_threshold,run_id,run_name,experiment_id,user_id,model_id,dataset_name',
    );
    const file = join(cases.service.folder, 'store', '.tmp', 'series.csv');
    await writeFile(file, text);
    const rows = await cases.service.resources.duck.session((session) =>
      session.rows<Record<string, unknown>>(
        'SELECT *, epoch_ms(timestamp)::DOUBLE AS time FROM read_csv($file)',
        { file },
      ),
    );
    expect(rows.map(({ time }) => time)).toEqual(columns.time);
    expect(rows.map(({ value }) => value)).toEqual(columns.value);
    expect(rows.map(({ moving_avg }) => moving_avg)).toEqual(columns.moving_avg);
    expect(rows.map(({ application }) => application)).toEqual(columns.time.map(() => HOSTILE));
    expect(rows.map(({ user_id }) => user_id)).toEqual(
      columns.user_id.map((user) => user?.replace(/^@/, "'@") ?? null),
    );

    const runs = await (await cases.get('/api/v1/runs', { application: HOSTILE, format: 'csv' })).text();
    expect(runs).toContain(",'-child 4,");
    expect(runs).toContain(",'@grace,");
    expect(runs).not.toMatch(/(^|,)"?[=+@-][^0-9]/m);
  });

  it('keeps negative numbers as numbers', async () => {
    const text = await (
      await cases.get('/api/v1/series', { application: HOSTILE, metric: 'huge', format: 'csv' })
    ).text();
    expect(text).toContain(',-1.7e+308,');
  });

  it('as Parquet has exactly the values of the JSON', async () => {
    const { columns } = await cases.read('/api/v1/series', SERIES);
    const response = await cases.get('/api/v1/series', { ...SERIES, format: 'parquet' });
    const file = join(cases.service.folder, 'store', '.tmp', 'series.parquet');
    await writeFile(file, Buffer.from(await response.arrayBuffer()));
    const read = await cases.service.resources.duck.session((session) =>
      session.columns(
        'SELECT * EXCLUDE (timestamp, application, metric_name), epoch_ms(timestamp)::DOUBLE AS time FROM read_parquet($file)',
        { file },
      ),
    );
    expect(read).toEqual(columns);
  });

  it('is chosen by the header Accept if no parameter chooses it', async () => {
    const typeOf = async (accept: string, query = {}) => {
      const response = await cases.get('/api/v1/series', { ...SERIES, ...query }, { Accept: accept });
      if (response.ok) expect(response.headers.get('Vary')).toContain('Accept,');
      return [response.status, response.headers.get('Content-Type')?.split(';')[0]];
    };
    expect(await typeOf('*/*')).toEqual([200, 'application/json']);
    expect(await typeOf('text/html,*/*;q=0.8')).toEqual([200, 'application/json']);
    expect(await typeOf('text/csv')).toEqual([200, 'text/csv']);
    expect(await typeOf('text/csv;q=0.4, application/vnd.apache.parquet;q=0.5')).toEqual([
      200,
      'application/vnd.apache.parquet',
    ]);
    expect(await typeOf('application/json;q=0.1, text/csv')).toEqual([200, 'text/csv']);
    expect(await typeOf('text/csv', { format: 'json' })).toEqual([200, 'application/json']);
    expect(await typeOf('text/html')).toEqual([406, 'application/problem+json']);
  });

  it('of a span without points has the columns only', async () => {
    const span = { from: '2026-01-01T00:00:00Z', to: '2026-01-02T00:00:00Z' };
    const text = await (await cases.get('/api/v1/series', { ...SERIES, ...span, format: 'csv' })).text();
    expect(text.trim().split('\n')).toHaveLength(1);
    expect(
      (await cases.get('/api/v1/runs', { application: HOSTILE, ...span, format: 'parquet' })).status,
    ).toBe(200);
  });
});

describe('a response', () => {
  /** Revalidates like a browser; without `Cache-Control`, Node's fetch would send `no-cache`. */
  const revalidate = (path: string, query: Record<string, string>, etag: string) =>
    cases.get(path, query, { 'If-None-Match': etag, 'Cache-Control': 'max-age=0' });
  const REQUESTS: [string, Record<string, string>][] = [
    ['/api/v1/applications', {}],
    ['/api/v1/application', { application: HOSTILE }],
    ['/api/v1/metrics', { application: HOSTILE }],
    ['/api/v1/series', SERIES],
    ['/api/v1/series', { ...SERIES, format: 'csv' }],
    ['/api/v1/runs', { application: HOSTILE }],
  ];

  it('is not sent again while it is the same, and Parquet is not read for it', async () => {
    const etags = await Promise.all(
      REQUESTS.map(async ([path, query]) => (await cases.get(path, query)).headers.get('ETag') ?? ''),
    );
    const [rows, columns] = [
      jest.spyOn(DuckSession.prototype, 'rows'),
      jest.spyOn(DuckSession.prototype, 'columns'),
    ];
    for (const [i, [path, query]] of REQUESTS.entries()) {
      expect((await revalidate(path, query, etags[i] ?? '')).status).toBe(304);
    }
    expect(rows.mock.calls.length + columns.mock.calls.length).toBe(0);
    rows.mockRestore();
    columns.mockRestore();
  });

  it('is the same text with and without compression', async () => {
    for (const [path, query] of [...REQUESTS, ['/api/v1/platform/current', {}] as const]) {
      const search = `${path}?${new URLSearchParams(query)}`;
      const plain = await cases.service.request('GET', search);
      const compressed = await cases.get(path, query, { 'Accept-Encoding': 'gzip' });
      const encoding = path.endsWith('series') && 'format' in query ? null : 'gzip';
      expect([plain.status, plain.headers['content-encoding']]).toEqual([200, undefined]);
      expect(compressed.headers.get('Content-Encoding')).toBe(encoding);
      expect(compressed.headers.get('ETag')).toBe(plain.headers.etag);
      expect(await compressed.text()).toBe(plain.text);
    }
  });

  it('has the limits of each time and who changed them, and is new after a change', async () => {
    const etags = await Promise.all(
      REQUESTS.map(async ([path, query]) => (await cases.get(path, query)).headers.get('ETag') ?? ''),
    );
    cases.setNow(NOW + 20 * 60_000);
    const reevaluated = cases.service.nextFinished('reevaluation');
    await cases.service.writeCatalog({
      metrics: [{ metric_name: 'recall', higher_is_better: true }],
      thresholds: [
        { metric_name: 'recall', critical_threshold: 50, warning_threshold: 80, updated_by: 'grace' },
      ],
    });
    await cases.service.app.get(RulebookSync).refresh();
    expect((await reevaluated).status).toBe('done');
    const { limits, limit_changes, columns } = await cases.read('/api/v1/series', SERIES);
    const [published] = await cases.rows<{ at: number; runs: number }>(
      'threshold_changes',
      'epoch_ms(timestamp)::DOUBLE AS at, runs_changed AS runs',
      "WHERE metric_name = 'recall'",
    );
    expect(limit_changes).toEqual([
      {
        at: iso(published?.at ?? 0),
        metric_name: 'recall',
        experiment_id: null,
        old_critical_threshold: 70,
        old_warning_threshold: 80,
        new_critical_threshold: 50,
        new_warning_threshold: 80,
        updated_by: 'grace',
        runs_changed: published?.runs,
      },
    ]);
    // The last 7 days are judged again, and all runs are younger.
    expect(limits).toMatchObject([
      { critical_threshold: 50, updated_by: 'grace', from: iso(NOW - 80 * HOUR) },
    ]);
    expect(columns.status.slice(-4)).toEqual(['warning', 'warning', 'warning', 'warning']);
    const { metrics } = await cases.read('/api/v1/metrics', { application: HOSTILE, metric: 'recall' });
    expect(metrics[0]).toMatchObject({ status: 'warning', limit: 80, limits, limit_changes });
    for (const [i, [path, query]] of REQUESTS.entries()) {
      expect((await revalidate(path, query, etags[i] ?? '')).status).toBe(200);
    }
  });
});
