import { createHash } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { TrackingServer } from '../../../src/demo/tracking-server.js';
import { QUEUES } from '../../../src/queue/queue-names.js';
import type { HttpResponse, RequestOptions } from '../../support/http-request.js';
import { type OpenService, openService } from '../../support/open-service.js';

Logger.overrideLogger(false);
const ADMIN = '/api/v1/admin/backfills';
const READ_PATHS = [
  '/health/live',
  '/health/ready',
  '/api/v1/platform/current',
  '/docs',
  '/docs/openapi.json',
  '/api/v1/applications',
];
let mlflow: TrackingServer;
let folder: string;
let service: OpenService;

beforeEach(async () => {
  mlflow = await TrackingServer.start();
  folder = await mkdtemp(join(tmpdir(), 'access-'));
});
afterEach(async () => {
  await service.close();
  await mlflow.close();
  await rm(folder, { recursive: true, force: true });
});

const start = async (env: Readonly<Record<string, string>>) => {
  let now = Date.parse('2026-03-10T15:30:00Z');
  service = await openService({
    trackingUri: mlflow.uri,
    folder,
    catalog: null,
    // Every audit entry gets a different time, so their order is known.
    clock: () => ++now,
    http: true,
    env,
  });
};
const statusOf = async (method: string, path: string, headers: Record<string, string> = {}) =>
  (await service.request(method, path, { headers })).status;
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const line = (token: string, name: string) => `${createHash('sha256').update(token).digest('hex')} ${name}\n`;

/** What a browser needs to know of any response. */
function expectProtected(path: string, { headers }: HttpResponse): void {
  expect([path, headers['content-security-policy']]).toEqual([
    path,
    expect.stringMatching(/default-src '(none|self)'.*frame-ancestors 'none'/),
  ]);
  expect(headers).toMatchObject({
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'same-origin',
  });
  expect(headers).not.toHaveProperty('x-powered-by');
}

describe('on a loopback address', () => {
  beforeEach(() => start({ HOST: '127.0.0.1' }));

  it('this machine can read, and needs the token of the folder for admin', async () => {
    for (const path of READ_PATHS) expect(await statusOf('GET', path)).toBe(200);
    for (const path of [ADMIN, '/admin/queues']) {
      expect(await statusOf('GET', path)).toBe(401);
      expect((await service.requestAsAdmin('GET', path)).status).toBe(200);
    }
  });

  it('the token is readable by its owner only, and stays', async () => {
    const file = join(folder, 'store/admin-token');
    const token = await readFile(file, 'utf8');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(token).toMatch(/^[0-9a-f]{64}\n$/);
    await service.close();
    // As after a restored backup.
    await chmod(file, 0o644);
    await start({ HOST: '127.0.0.1' });
    expect(await readFile(file, 'utf8')).toBe(token);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('without its token file nobody is admin', async () => {
    await writeFile(join(folder, 'store/admin-token'), '');
    expect(await statusOf('GET', ADMIN)).toBe(403);
    await rm(join(folder, 'store/admin-token'));
    expect(await statusOf('GET', ADMIN)).toBe(403);
    expect(await statusOf('GET', READ_PATHS[0] ?? '')).toBe(200);
  });

  it('a foreign host name is denied everything, including what is mounted outside of the routes', async () => {
    for (const path of [...READ_PATHS, ADMIN, '/admin/queues', '/admin/queues/static/x', '/nothing']) {
      const { status, headers, json } = await service.request('GET', path, {
        headers: { host: `rebound.example:${service.port}` },
      });
      expect(status).toBe(403);
      expect(headers['content-type']).toBe('application/problem+json; charset=utf-8');
      expect(json).toMatchObject({ status: 403, title: 'Forbidden', instance: path });
    }
  });

  it('every response forbids frames and guessing of types, and does not name the framework', async () => {
    for (const path of [...READ_PATHS, '/', '/login', '/nothing', ADMIN, '/admin/queues'])
      expectProtected(path, await service.requestAsAdmin('GET', path));
  });

  it('so does every error, redirect and file', async () => {
    const json = { 'content-type': 'application/json' };
    const inBrowser = { accept: 'text/html' };
    const [, asset = ''] = /(assets\/[\w.-]+\.js)/.exec((await service.request('GET', '/')).text) ?? [];
    const [, board = ''] =
      /(static\/[\w./-]+\.js)/.exec((await service.requestAsAdmin('GET', '/admin/queues')).text) ?? [];
    const cases: [status: number, method: string, path: string, options?: RequestOptions][] = [
      [200, 'GET', `/${asset}`],
      [200, 'GET', `/admin/queues/${board}`],
      [200, 'GET', '/docs/swagger-ui.css'],
      [200, 'HEAD', '/'],
      [303, 'GET', '/login/unknown'],
      [308, 'GET', '/docs/'],
      [400, 'GET', '/api/v1/applications?limit=many'],
      [400, 'POST', '/api/v1/verdicts', { headers: json, text: '{' }],
      [400, 'GET', '/login/%zz'],
      [404, 'GET', '/assets/nothing.js'],
      [404, 'GET', '/api/v1/application?application=nothing'],
      [404, 'GET', '/admin/queues/api/queues/nothing/1'],
      [404, 'GET', '/admin/queues/static/nothing.js'],
      [413, 'POST', '/api/v1/verdicts', { body: { application: 'x'.repeat(200_000) } }],
      [415, 'POST', ADMIN, { headers: { 'content-type': 'text/plain' }, text: 'x' }],
    ];
    for (const [status, method, path, options] of cases) {
      const response = await service.requestAsAdmin(method, path, options);
      expect([path, response.status]).toEqual([path, status]);
      expectProtected(path, response);
    }
    const denied: typeof cases = [
      [303, 'GET', '/admin/queues', { headers: inBrowser }],
      [401, 'GET', ADMIN],
      [401, 'OPTIONS', '/'],
      [401, 'TRACE', '/'],
      [401, 'GET', '/admin/%zz'],
      [403, 'GET', '/', { headers: { host: 'rebound.example' } }],
    ];
    for (const [status, method, path, options] of denied) {
      const response = await service.request(method, path, options);
      expect([path, response.status]).toEqual([path, status]);
      expectProtected(path, response);
    }
  });

  it('a body that a form of another site could send is rejected', async () => {
    for (const type of ['application/x-www-form-urlencoded', 'text/plain', 'multipart/form-data']) {
      const { status } = await service.requestAsAdmin('POST', ADMIN, {
        headers: { 'content-type': type },
        body: { from: '2026-01-01', to: '2026-01-02' },
      });
      expect(status).toBe(415);
    }
  });

  it('a page of another site is denied reading and admin', async () => {
    const foreign: Record<string, string>[] = [
      { origin: 'http://evil.example' },
      { origin: 'http://127.0.0.1:8888' },
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' },
      { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'no-cors' },
    ];
    for (const headers of foreign) {
      for (const path of [...READ_PATHS, ADMIN, '/admin/queues'])
        expect(await statusOf('GET', path, headers)).toBe(403);
      const { status } = await service.requestAsAdmin('POST', ADMIN, {
        headers,
        body: { from: '2026-01-01', to: '2026-01-02' },
      });
      expect(status).toBe(403);
      expect(await statusOf('PUT', '/admin/queues/api/queues/pause', headers)).toBe(403);
    }
    expect((await service.requestAsAdmin('GET', ADMIN)).json).toEqual({ backfills: [] });
    const { json } = await service.requestAsAdmin('GET', '/admin/queues/api/queues');
    expect(json).toMatchObject({ queues: QUEUES.map(() => ({ isPaused: false })) });
  });

  it('a page of the service itself may do both', async () => {
    const own = { origin: `http://127.0.0.1:${service.port}`, 'sec-fetch-site': 'same-origin' };
    expect(await statusOf('GET', '/api/v1/platform/current', own)).toBe(200);
    const paused = await service.requestAsAdmin('PUT', '/admin/queues/api/queues/pause', { headers: own });
    expect(paused.status).toBe(200);
  });
});

describe('on an address that other machines can reach', () => {
  it('reading is open under the names of the service, and admin needs a token', async () => {
    await start({ HOST: '0.0.0.0', ALLOWED_HOSTS: 'monitor.example' });
    for (const path of READ_PATHS) {
      expect(await statusOf('GET', path, { host: 'monitor.example' })).toBe(200);
      expect(await statusOf('GET', path, { host: 'rebound.example' })).toBe(403);
    }
    for (const path of [ADMIN, `${ADMIN}/backfill-1`, '/admin/queues', '/API/V1/Admin/backfills']) {
      expect(await statusOf('GET', path)).toBe(401);
      expect(await statusOf('GET', path, bearer('guess'))).toBe(401);
    }
    expect(await statusOf('POST', ADMIN)).toBe(401);
    expect(await statusOf('POST', '/api/v1/platform/current')).toBe(401);
  });

  it('a token allows admin to programs', async () => {
    const file = join(folder, 'tokens');
    await writeFile(file, line('right', 'alice'));
    await start({ HOST: '0.0.0.0', ADMIN_TOKEN_SHA256_FILE: file });
    const missing = await service.request('GET', ADMIN);
    expect([missing.status, missing.headers['www-authenticate']]).toEqual([
      401,
      'Bearer realm="mlflow-monitor admin"',
    ]);
    expect(await statusOf('GET', ADMIN, bearer('wrong'))).toBe(401);
    expect(await statusOf('GET', ADMIN, bearer('right'))).toBe(200);
  });

  it('a change of the token file takes effect at once, and admin is denied while the file is unusable', async () => {
    const file = join(folder, 'tokens');
    await writeFile(file, line('old', 'alice'));
    await start({ HOST: '0.0.0.0', ADMIN_TOKEN_SHA256_FILE: file });
    expect(await statusOf('GET', ADMIN, bearer('old'))).toBe(200);
    await writeFile(file, line('new', 'alice'));
    expect(await statusOf('GET', ADMIN, bearer('old'))).toBe(401);
    expect(await statusOf('GET', ADMIN, bearer('new'))).toBe(200);
    await writeFile(file, 'new');
    expect(await statusOf('GET', ADMIN, bearer('new'))).toBe(403);
    await rm(file);
    expect(await statusOf('GET', ADMIN, bearer('new'))).toBe(403);
    expect(await statusOf('GET', '/health/live')).toBe(200);
  });

  it('the audit has all admin actions, but no reads and no denied requests', async () => {
    const file = join(folder, 'tokens');
    await writeFile(file, line('right', 'alice'));
    await start({ HOST: '0.0.0.0', ADMIN_TOKEN_SHA256_FILE: file, ROLES: 'api' });
    await service.request('POST', ADMIN, {
      headers: bearer('right'),
      body: { from: '2026-01-01', to: '2026-01-02' },
    });
    await service.request('GET', ADMIN, { headers: bearer('right') });
    await service.request('POST', ADMIN, { headers: bearer('wrong') });
    await service.request('DELETE', `${ADMIN}/backfill-1?x=1`, { headers: bearer('right') });
    await service.request('PUT', '/admin/queues/api/queues/pause', { headers: bearer('right') });
    await service.stop();
    const entries: unknown[] = [];
    for await (const { key } of service.resources.store.list('_audit/')) {
      expect(key).toMatch(/^_audit\/\d{4}\/\d\d\/\d\d\/[^/]+\.json$/);
      const { version, at, ...entry } = JSON.parse(
        (await service.resources.store.get(key))?.body.toString() ?? '',
      );
      expect([version, new Date(at).toISOString()]).toEqual([1, at]);
      entries.push(entry);
    }
    const byAlice = { actor: 'alice', location: null };
    expect(entries).toEqual([
      { ...byAlice, method: 'POST', path: ADMIN, status: 202, location: `${ADMIN}/backfill-1` },
      { ...byAlice, method: 'DELETE', path: `${ADMIN}/backfill-1`, status: 200 },
      { ...byAlice, method: 'PUT', path: '/admin/queues/api/queues/pause', status: 200 },
    ]);
  });
});
