import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import type { Application } from 'express';
import { TrackingServer } from '../../../src/demo/tracking-server.js';
import { SESSION_COOKIE, sessionOf } from '../../../src/http/admin-session.js';
import { digestOfToken, parseTokens } from '../../../src/http/admin-tokens.js';
import { httpRequest } from '../../support/http-request.js';
import { type OpenService, openService } from '../../support/open-service.js';
import {
  findHaproxy,
  findNginx,
  type RunningProxy,
  startHaproxy,
  startNginx,
} from '../../support/proxies.js';
import { freePort } from '../../support/redis-server.js';
import { skipSuite } from '../../support/skip.js';

Logger.overrideLogger(false);

/** Routes that everybody may use, and routes for admins. The test fails for a route that is in neither list: decide, then add it. */
const FOR_EVERYBODY = [
  ...['', '/live', '/ready', '/startup'].map((probe) => `GET /health${probe}`),
  'GET /metrics',
  ...[
    'platform/current',
    'events',
    'errors',
    'explanation',
    'applications',
    'application',
    'metrics',
    'series',
  ].map((path) => `GET /api/v1/${path}`),
  ...['model-versions', 'forecast', 'runs', 'run', 'session'].map((path) => `GET /api/v1/${path}`),
  ...['quality', 'quality/history', 'quarantine', 'alerts', 'alerts/transitions', 'alerts/noise'].map(
    (path) => `GET /api/v1/${path}`,
  ),
  'POST /api/v1/verdicts',
  'POST /api/v1/login',
  'POST /api/v1/logout',
  'GET /login/:code',
];
const FOR_ADMINS = [
  'GET /api/v1/admin/backfills',
  'POST /api/v1/admin/backfills',
  'GET /api/v1/admin/backfills/:id',
  'DELETE /api/v1/admin/backfills/:id',
  'POST /api/v1/admin/rebuilds',
  'GET /api/v1/admin/rebuilds/:id',
  'POST /api/v1/admin/login-links',
  'POST /api/v1/admin/quarantine/replay',
  'GET /api/v1/admin/alerts/mutes',
  'POST /api/v1/admin/alerts/mutes',
  'DELETE /api/v1/admin/alerts/mutes/:id',
  'POST /api/v1/admin/alerts/acknowledgements',
];
/** What is mounted without a route of its own, and what no route has. */
const MORE: readonly (readonly [request: string, role: 'everybody' | 'admins'])[] = [
  ['GET /', 'everybody'],
  ['GET /login', 'everybody'],
  ['GET /app/admin/metric/%zz', 'everybody'],
  ['GET /nothing', 'everybody'],
  ...[
    '',
    '/',
    '/index.html',
    '/LICENSE',
    '/openapi.json',
    '/swagger-ui-init.js',
    '/docs/swagger-ui-init.js',
  ].map((document) => [`GET /docs${document}`, 'everybody'] as const),
  ['GET /admin/queues', 'admins'],
  ['GET /admin/queues/api/queues', 'admins'],
  ['PUT /admin/queues/api/queues/nothing/pause', 'admins'],
  ['GET /api/v1/%61dmin/backfills', 'admins'],
  ['GET /API/V1/Admin/backfills', 'admins'],
  ['GET //admin//queues', 'admins'],
  ['POST /nothing', 'admins'],
  ['DELETE /api/v1/applications', 'admins'],
];

type Headers = Readonly<Record<string, string>>;
const TOKENS = `${digestOfToken('right')} alice\n`;
const [ALICE] = parseTokens(TOKENS) as [ReturnType<typeof parseTokens>[0]];
const cookie = (value: string): Headers => ({ cookie: `${SESSION_COOKIE}=${value}` });
const FUTURE = Date.now() + 86_400_000;

/** In which proxies tell who asks. Nobody is admitted by them. */
const ADDRESS_HEADERS = [
  ...['x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'x-client-ip', 'x-cluster-client-ip'],
  ...['cf-connecting-ip', 'true-client-ip', 'fastly-client-ip', 'x-originating-ip', 'forwarded', 'via'],
];
const USER_HEADERS = [
  ...['remote-user', 'x-remote-user', 'x-forwarded-user', 'x-auth-request-user', 'x-webauth-user'],
  ...['x-forwarded-preferred-username', 'x-authenticated-user', 'x-ms-client-principal-name', 'x-user'],
];

/** Of each identity, what it is admitted to. */
const IDENTITIES: readonly (readonly [
  name: string,
  headers: Headers,
  may: 'nothing' | 'read' | 'everything',
])[] = [
  ['nobody', {}, 'read'],
  ['a token', { authorization: 'Bearer right' }, 'everything'],
  ['a wrong token', { authorization: 'Bearer wrong' }, 'read'],
  ['an empty token', { authorization: 'Bearer ' }, 'read'],
  ['the digest of a token', { authorization: `Bearer ${digestOfToken('right')}` }, 'read'],
  ['a token as a password', { authorization: `Basic ${btoa('alice:right')}` }, 'read'],
  ['a session', cookie(sessionOf(ALICE, FUTURE)), 'everything'],
  ['an expired session', cookie(sessionOf(ALICE, 1)), 'read'],
  ['a prolonged session', cookie(sessionOf(ALICE, FUTURE).replace(/^\d+/, `${FUTURE + 1}`)), 'read'],
  [
    'who claims to be of this machine',
    Object.fromEntries(ADDRESS_HEADERS.map((name) => [name, '127.0.0.1'])),
    'read',
  ],
  ['who claims to be an admin', Object.fromEntries(USER_HEADERS.map((name) => [name, 'alice'])), 'read'],
  [
    'a page of another site in the browser of an admin',
    { ...cookie(sessionOf(ALICE, FUTURE)), origin: 'http://evil.example', 'sec-fetch-site': 'cross-site' },
    'nothing',
  ],
  ['a token under a foreign name', { authorization: 'Bearer right', host: 'rebound.example' }, 'nothing'],
];

const REQUESTS: readonly (readonly [request: string, role: 'everybody' | 'admins'])[] = [
  ...FOR_EVERYBODY.map((request) => [request, 'everybody'] as const),
  ...FOR_ADMINS.map((request) => [request, 'admins'] as const),
  ...MORE,
];
/** Of requests through a proxy, which does not forward the name. */
const SAME_NAME = IDENTITIES.filter(([, headers]) => headers.host === undefined);
/** Invalid for a proxy, which rejects it. */
const isForwarded = (path: string) => !path.includes('%zz');

/** Sends each request as an identity. @returns those that are admitted or denied wrongly */
async function wrongVerdicts(
  [, headers, may]: (typeof IDENTITIES)[number],
  requests: typeof REQUESTS,
  port: number,
  prefix = '',
): Promise<string[]> {
  const verdicts = requests.map(async ([request, role]) => {
    const [method = '', path = ''] = request.split(' ');
    // An open stream of events does not end.
    if (path === '/api/v1/events' && may !== 'nothing') return [];
    const { status } = await httpRequest(port, method, prefix + path.replace(/:\w+/, 'x'), { headers });
    const admitted = may === 'everything' || (may === 'read' && role === 'everybody');
    return admitted === [401, 403].includes(status) || status === 502 ? [`${request}: ${status}`] : [];
  });
  return (await Promise.all(verdicts)).flat();
}

describe.each([['127.0.0.1'], ['0.0.0.0']])('on %s', (host) => {
  let mlflow: TrackingServer;
  let folder: string;
  let service: OpenService;

  beforeAll(async () => {
    mlflow = await TrackingServer.start();
    folder = await mkdtemp(join(tmpdir(), 'routes-'));
    await writeFile(join(folder, 'tokens'), TOKENS);
    const env = {
      HOST: host,
      ADMIN_TOKEN_SHA256_FILE: join(folder, 'tokens'),
      PUBLIC_URL: 'https://tools.example/monitor/',
    };
    service = await openService({ trackingUri: mlflow.uri, folder, catalog: null, http: true, env });
  });
  afterAll(async () => {
    await service.close();
    await mlflow.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('every route is listed with who may use it', () => {
    const application: Application = service.app.getHttpAdapter().getInstance();
    const routes = application.router.stack.flatMap(({ route }) =>
      route ? route.stack.map(({ method }) => `${method.toUpperCase()} ${route.path}`) : [],
    );
    expect([...new Set(routes)].sort()).toEqual([...FOR_EVERYBODY, ...FOR_ADMINS].sort());
  });

  it.each(IDENTITIES)('%s is admitted to what it may use, and to nothing else', async (...identity) => {
    expect(await wrongVerdicts(identity, REQUESTS, service.port)).toEqual([]);
  });

  it.each(IDENTITIES)('below the path of a proxy, this holds for %s', async (...identity) => {
    expect(await wrongVerdicts(identity, REQUESTS, service.port, '/monitor')).toEqual([]);
  });

  if (host !== '127.0.0.1') return;
  describeProxy('nginx', findNginx(), (program, port) =>
    startNginx(program, new Map([[port, `location / { proxy_pass http://127.0.0.1:${service.port}; }`]])),
  );
  describeProxy('haproxy', findHaproxy(), (program, port) => startHaproxy(program, port, service.port));
});

/** A proxy of this machine with its default configuration, through which requests come from a loopback address. */
function describeProxy(
  name: string,
  program: string | undefined,
  start: (program: string, port: number) => Promise<RunningProxy>,
): void {
  if (!program) {
    skipSuite(`access behind ${name}`, `${name} on PATH`);
    return;
  }
  describe(`behind ${name} on the same machine`, () => {
    let proxy: RunningProxy;
    let port: number;
    beforeAll(async () => {
      port = await freePort();
      proxy = await start(program, port);
    });
    afterAll(() => proxy.stop());

    it.each(SAME_NAME)('%s is admitted to the same', async (...identity) => {
      const requests = REQUESTS.filter(([request]) => isForwarded(request));
      expect(await wrongVerdicts(identity, requests, port)).toEqual([]);
    });
  });
}
