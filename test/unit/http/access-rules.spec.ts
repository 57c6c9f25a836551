import { createHash } from 'node:crypto';
import {
  type AccessRules,
  decideAccess,
  isAdminPath,
  isLoopback,
  type RequestInfo,
} from '../../../src/http/access-rules.js';
import { SESSION_COOKIE, sessionOf } from '../../../src/http/admin-session.js';
import { parseTokens } from '../../../src/http/admin-tokens.js';
import { publicAddressOf, withoutProxyPath } from '../../../src/http/public-address.js';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const NOW = Date.parse('2026-03-10T12:00:00Z');
const TOKENS = parseTokens(`${sha256('first')} alice\n${sha256('second')} bob\n`);
const LAPTOP: AccessRules = {
  loopback: true,
  allowedHosts: [],
  publicAddress: null,
  tokens: TOKENS,
  now: NOW,
};
const SERVER: AccessRules = { ...LAPTOP, loopback: false };

const READ = '/api/v1/platform/current';
const ADMIN = '/api/v1/admin/backfills';
const request = (method: string, url: string, headers: RequestInfo['headers'] = {}): RequestInfo => ({
  method,
  url,
  headers: { host: '127.0.0.1:3000', ...headers },
});

describe('access', () => {
  it.each([
    ['reading', request('GET', READ), LAPTOP],
    ['a probe', request('GET', '/health/live'), SERVER],
    ['the metrics', request('HEAD', '/metrics'), SERVER],
    ['a verdict', request('POST', '/api/v1/verdicts'), SERVER],
    ['signing in', request('POST', '/api/v1/login'), SERVER],
    ['reading from the page itself', request('GET', READ, { 'sec-fetch-site': 'same-origin' }), SERVER],
    ['navigating to a typed address', request('GET', '/', { 'sec-fetch-site': 'none' }), LAPTOP],
  ])('for %s needs no login', (_, info, rules) => {
    expect(decideAccess(info, rules)).toEqual({ admitted: true, actor: null });
  });

  it.each([
    request('GET', ADMIN),
    request('GET', '/admin/queues/api/queues'),
    request('POST', '/anything'),
    request('POST', '/api/v1/verdicts/'),
    request('POST', '/api/v1/verdicts?x'),
    request('POST', '/api/v1/login/'),
    request('PUT', '/api/v1/verdicts'),
    request('OPTIONS', READ),
    request('DELETE', '/'),
  ])('needs an admin for $method $url, on a laptop as well', (info) => {
    for (const rules of [LAPTOP, SERVER]) {
      expect(decideAccess(info, rules)).toMatchObject({ admitted: false, status: 401 });
      const byAlice = { ...info, headers: { ...info.headers, authorization: 'Bearer first' } };
      expect(decideAccess(byAlice, rules)).toEqual({ admitted: true, actor: 'alice' });
    }
  });

  it('for admin requests needs a known token, whatever a proxy adds or leaves out', () => {
    const bearer = (token: string) => request('POST', ADMIN, { authorization: `Bearer ${token}` });
    expect(decideAccess(bearer('second'), SERVER)).toEqual({ admitted: true, actor: 'bob' });
    for (const token of ['third', '', 'first second'])
      expect(decideAccess(bearer(token), SERVER)).toMatchObject({ admitted: false, status: 401 });
    for (const name of ['x-real-ip', 'x-forwarded-proto', 'cf-connecting-ip', 'x-client-ip', 'via'])
      expect(decideAccess(request('POST', ADMIN, { [name]: '127.0.0.1' }), LAPTOP)).toMatchObject({
        admitted: false,
      });
    expect(decideAccess(bearer('first'), { ...SERVER, tokens: [] })).toMatchObject({ admitted: false });
  });

  describe('of a browser that signed in', () => {
    const [alice] = TOKENS as [(typeof TOKENS)[0]];
    const withCookie = (value: string, headers: RequestInfo['headers'] = {}) =>
      request('POST', ADMIN, { cookie: `theme=dark; ${SESSION_COOKIE}=${value}`, ...headers });
    const session = sessionOf(alice, NOW + 1);

    it('is that of its token', () => {
      expect(decideAccess(withCookie(session), LAPTOP)).toEqual({ admitted: true, actor: 'alice' });
    });

    it('ends with its time, and with its token', () => {
      expect(decideAccess(withCookie(session), { ...LAPTOP, now: NOW + 1 })).toMatchObject({ status: 401 });
      const onlyBob = { ...LAPTOP, tokens: TOKENS.slice(1) };
      expect(decideAccess(withCookie(session), onlyBob)).toMatchObject({ status: 401 });
    });

    it('cannot be prolonged or forged', () => {
      const [, signature = ''] = session.split('.');
      for (const value of [`${NOW + 9}.${signature}`, `${NOW + 1}.`, `${NOW + 1}.${'A'.repeat(43)}`, 'x', ''])
        expect(decideAccess(withCookie(value), LAPTOP)).toMatchObject({ status: 401 });
    });

    it('is denied to a page of another site', () => {
      const forged = withCookie(session, { origin: 'http://evil.example' });
      expect(decideAccess(forged, LAPTOP)).toMatchObject({ status: 403 });
    });
  });
});

describe('a page of another site', () => {
  const denied = { admitted: false, status: 403 };

  it.each([
    'evil.example',
    'evil.example:3000',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    '0.0.0.0:3000',
    '192.168.1.7:3000',
    'x@127.0.0.1',
    '',
  ])('is denied everything on a loopback address under the name %p', (host) => {
    expect(decideAccess(request('GET', READ, { host }), LAPTOP)).toMatchObject(denied);
  });

  it.each(['127.0.0.1:3000', 'localhost:8080', 'LOCALHOST', '[::1]:3000', '127.9.9.9'])(
    'is not detected under the name %p',
    (host) => {
      expect(decideAccess(request('GET', READ, { host }), LAPTOP)).toMatchObject({ admitted: true });
    },
  );

  it.each(['evil.example', 'evil.example:3000', '10.evil.example', 'svc.example', 'x@10.0.0.7', ''])(
    'is denied everything on another address under the name %p, unless the setting allows it',
    (host) => {
      const [name = ''] = host.split(':');
      expect(decideAccess(request('GET', READ, { host }), SERVER)).toMatchObject(denied);
      const allowing = { ...SERVER, allowedHosts: ['other.example', name.toUpperCase()] };
      expect(decideAccess(request('GET', READ, { host }), allowing).admitted).toBe(/^[\w.]+$/.test(name));
    },
  );

  it.each([
    '10.0.0.7:3000',
    '[fd00::7]:3000',
    'monitor:3000',
    'mlflow-monitor.monitoring.svc.cluster.local',
    'mlflow-monitor.monitoring.svc:3000',
    'build-7.internal',
  ])('cannot have the name %p, under which the service can always be opened', (host) => {
    expect(decideAccess(request('GET', READ, { host }), SERVER)).toMatchObject({ admitted: true });
  });

  it('is denied with the sentence that names the setting', () => {
    expect(decideAccess(request('GET', READ, { host: 'ml.example:80' }), SERVER)).toMatchObject({
      detail: expect.stringContaining('ml.example. If this is its name, add it to ALLOWED_HOSTS'),
    });
    const all = { ...SERVER, allowedHosts: ['*'] };
    expect(decideAccess(request('GET', READ, { host: 'ml.example:80' }), all).admitted).toBe(true);
  });

  it.each([
    'http://evil.example',
    'http://localhost:3000',
    'http://127.0.0.1:8888',
    'null',
    'http://127.0.0.1:3000@evil.example',
  ])('with the origin %p is denied reading and admin, on a loopback address and elsewhere', (origin) => {
    for (const rules of [LAPTOP, SERVER]) {
      const authorization = 'Bearer first';
      expect(decideAccess(request('GET', READ, { origin }), rules)).toMatchObject(denied);
      expect(decideAccess(request('POST', ADMIN, { origin, authorization }), rules)).toMatchObject(denied);
    }
  });

  it('is distinguished from the page itself by its origin', () => {
    const own = { origin: 'http://127.0.0.1:3000', 'sec-fetch-site': 'same-origin' };
    const authorization = 'Bearer first';
    expect(decideAccess(request('POST', ADMIN, { ...own, authorization }), LAPTOP)).toMatchObject({
      actor: 'alice',
    });
    const behindTls = { host: 'monitor.example', origin: 'https://monitor.example', authorization };
    const named = { ...SERVER, allowedHosts: ['monitor.example'] };
    expect(decideAccess(request('POST', ADMIN, behindTls), named)).toMatchObject({ actor: 'alice' });
  });

  it('cannot be one of the public address, whatever name a proxy on this machine sends', () => {
    const publicAddress = publicAddressOf('https://tools.example:8443/monitor/');
    const authorization = 'Bearer first';
    for (const rules of [LAPTOP, SERVER]) {
      const known = { ...rules, publicAddress };
      for (const host of ['127.0.0.1:3000', 'tools.example:8443', 'tools.example']) {
        const own = { host, origin: 'https://tools.example:8443', authorization };
        expect(decideAccess(request('POST', ADMIN, own), known)).toMatchObject({ actor: 'alice' });
        const other = { ...own, origin: 'https://tools.example' };
        if (host !== 'tools.example')
          expect(decideAccess(request('POST', ADMIN, other), known)).toMatchObject(denied);
      }
      expect(decideAccess(request('GET', READ, { host: 'evil.example' }), known)).toMatchObject(denied);
    }
  });

  it('may link to the service, but neither embed it nor post to it', () => {
    const linked = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
    for (const site of ['cross-site', 'same-site']) {
      const from = { 'sec-fetch-site': site };
      expect(decideAccess(request('GET', '/', { ...from, ...linked }), LAPTOP)).toMatchObject({
        admitted: true,
      });
      expect(decideAccess(request('POST', ADMIN, { ...from, ...linked }), LAPTOP)).toMatchObject(denied);
      expect(
        decideAccess(request('GET', '/', { ...from, ...linked, 'sec-fetch-dest': 'iframe' }), LAPTOP),
      ).toMatchObject(denied);
      expect(
        decideAccess(request('GET', READ, { ...from, 'sec-fetch-mode': 'no-cors' }), LAPTOP),
      ).toMatchObject(denied);
    }
  });
});

describe('the path of a proxy', () => {
  it.each([
    ['/monitor/', '/'],
    ['/monitor/admin/queues?x', '/admin/queues?x'],
    ['/monitor/monitor/', '/monitor/'],
    ['/monitor', null],
    ['/monitor?x', null],
    ['/health/live', '/health/live'],
    ['/monitoring/', '/monitoring/'],
    ['/Monitor/', '/Monitor/'],
  ])('is removed from %p', (url, below) => {
    const { path = '' } = publicAddressOf('https://tools.example/monitor/') ?? {};
    expect(withoutProxyPath(url, path)).toBe(below);
  });

  it('is none at the root of a host', () => {
    expect(publicAddressOf('https://monitor.example')?.path).toBe('');
    expect(withoutProxyPath('/admin', '')).toBe('/admin');
  });
});

describe('an admin path', () => {
  it.each([
    '/admin',
    '/admin/queues',
    '/API/V1/ADMIN/backfills',
    '/api/v1/%61dmin/backfills',
    '//admin//queues',
    '/api/../admin/queues',
    '/admin?x=1',
    '\\admin',
    '//app/../admin',
    '/%zz',
  ])('is %s', (url) => {
    expect(isAdminPath(url)).toBe(true);
  });

  it.each([
    '/',
    '/api/v1/platform/current',
    '/administration',
    '/docs?x=/admin/',
    '/app/admin',
    '/app/a%2Fadmin/metric/%zz',
  ])('is not %s', (url) => {
    expect(isAdminPath(url)).toBe(false);
  });
});

describe('a listening address', () => {
  it('is loopback only if no other machine can reach it', () => {
    expect(['127.0.0.1', '127.0.0.53', 'localhost', '::1', '[::1]'].map(isLoopback)).not.toContain(false);
    expect(['0.0.0.0', '::', '192.168.1.7', '128.0.0.1', 'localhost.example'].map(isLoopback)).not.toContain(
      true,
    );
  });
});

describe('the token file', () => {
  it('has a name for each token; the dash of sha256sum is not a name', () => {
    const text = `# admins\n\n${sha256('a')}  -\n${sha256('b').toUpperCase()} carol smith # left\r\n`;
    expect(parseTokens(text)).toEqual([
      { name: 'token 3', sha256: Buffer.from(sha256('a'), 'hex') },
      { name: 'carol smith', sha256: Buffer.from(sha256('b'), 'hex') },
    ]);
  });

  it.each([
    ['secret'],
    [sha256('')],
    [sha256('\n')],
    [`${sha256('a')}00`],
    [sha256('a').slice(1)],
    [''],
    ['# none\n'],
  ])('is invalid: %p', (text) => {
    expect(() => parseTokens(`${text}\n`)).toThrow(RangeError);
  });

  it('is not quoted in the error about an invalid line', () => {
    expect(() => parseTokens('my-secret-token')).toThrow(/^line 1 (?!.*my-secret)/);
  });
});
