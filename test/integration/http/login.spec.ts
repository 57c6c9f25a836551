import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { TrackingServer } from '../../../src/demo/tracking-server.js';
import { digestOfToken } from '../../../src/http/admin-tokens.js';
import type { HttpResponse } from '../../support/http-request.js';
import { type OpenService, openService } from '../../support/open-service.js';

Logger.overrideLogger(false);
const BACKFILLS = '/api/v1/admin/backfills';
let mlflow: TrackingServer;
let folder: string;
let service: OpenService;
let now = Date.now();

beforeAll(async () => {
  mlflow = await TrackingServer.start();
  folder = await mkdtemp(join(tmpdir(), 'login-'));
  await writeFile(join(folder, 'tokens'), `${digestOfToken('right')} alice\n`);
  service = await openService({
    trackingUri: mlflow.uri,
    folder,
    catalog: null,
    clock: () => now,
    http: true,
    env: { ADMIN_TOKEN_SHA256_FILE: join(folder, 'tokens') },
  });
});
beforeEach(() => {
  now = Date.now();
});
afterAll(async () => {
  await service.close();
  await mlflow.close();
  await rm(folder, { recursive: true, force: true });
});

const cookieOf = ({ headers }: HttpResponse): string => headers['set-cookie']?.[0] ?? '';
/** What the browser sends afterwards. */
const sent = (response: HttpResponse) => ({ cookie: cookieOf(response).split(';', 1)[0] ?? '' });
const adminOf = async (headers: Record<string, string>) =>
  (await service.request('GET', '/api/v1/session', { headers })).json;
const bearer = { authorization: 'Bearer right' };
const createLink = async (): Promise<string> => {
  const { json } = await service.request('POST', '/api/v1/admin/login-links', { headers: bearer });
  return (json as { path: string }).path;
};

it('a token signs a browser in, with a cookie that scripts and other sites cannot use', async () => {
  const login = await service.request('POST', '/api/v1/login', { body: { token: 'right' } });
  expect([login.status, login.json]).toEqual([200, { admin: 'alice' }]);
  expect(cookieOf(login)).toMatch(/; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Strict$/);
  expect(cookieOf(login)).not.toContain('right');
  expect((await service.request('GET', BACKFILLS, { headers: sent(login) })).status).toBe(200);
  expect(await adminOf(sent(login))).toEqual({ admin: 'alice' });
  now += 8 * 86_400_000;
  expect(await adminOf(sent(login))).toEqual({ admin: null });
});

it('a wrong or empty token does not', async () => {
  for (const [token, status] of [
    ['wrong', 401],
    ['', 400],
  ] as const) {
    const login = await service.request('POST', '/api/v1/login', { body: { token } });
    expect([login.status, cookieOf(login)]).toEqual([status, '']);
  }
});

it('signing out deletes the cookie', async () => {
  const logout = await service.request('POST', '/api/v1/logout');
  expect(cookieOf(logout)).toMatch(/^mlflow_monitor_admin=; Path=\/; Expires=Thu, 01 Jan 1970/);
});

it('a link signs a browser in once', async () => {
  const path = await createLink();
  const opened = await service.request('GET', path);
  expect([opened.status, opened.headers.location]).toEqual([303, '../']);
  expect(await adminOf(sent(opened))).toEqual({ admin: 'alice' });
  const again = await service.request('GET', path);
  expect([again.status, again.headers.location, cookieOf(again)]).toEqual([303, '../login?expired', '']);
});

it('a link is valid for 15 minutes', async () => {
  const path = await createLink();
  now += 15 * 60_000;
  expect(cookieOf(await service.request('GET', path))).toBe('');
});

it('a browser without a login is led to the page that asks, a program gets 401', async () => {
  const inBrowser = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
  const page = await service.request('GET', '/admin/queues?x=1', { headers: inBrowser });
  expect([page.status, page.headers.location]).toEqual([303, '../login?next=%2Fadmin%2Fqueues%3Fx%3D1']);
  expect((await service.request('GET', '/login', { headers: inBrowser })).headers['content-type']).toMatch(
    'text/html',
  );
  expect((await service.request('GET', '/admin/queues')).status).toBe(401);
  expect((await service.request('GET', BACKFILLS, { headers: inBrowser })).status).toBe(401);
});
