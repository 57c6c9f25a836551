import { createHash } from 'node:crypto';
import {
  type AccessRules,
  decideAccess,
  isAdminPath,
  isLoopback,
  parseTokens,
  type RequestInfo,
} from '../../../src/http/access-rules.js';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const LAPTOP: AccessRules = { loopback: true, tokens: undefined };
const SERVER: AccessRules = { loopback: false, tokens: undefined };
const TOKENS = parseTokens(`${sha256('first')} alice\n${sha256('second')} bob\n`);
const GUARDED: AccessRules = { loopback: false, tokens: TOKENS };

const READ = '/api/v1/platform/current';
const ADMIN = '/api/v1/admin/backfills';
const request = (method: string, url: string, headers: RequestInfo['headers'] = {}): RequestInfo => ({
  method,
  url,
  headers: { host: '127.0.0.1:3000', ...headers },
});
const basic = (pair: string) => ({ authorization: `Basic ${Buffer.from(pair).toString('base64')}` });

describe('access', () => {
  it.each([
    ['reading', request('GET', READ), LAPTOP],
    ['a probe', request('GET', '/health/live'), SERVER],
    ['the metrics', request('HEAD', '/metrics'), SERVER],
    ['a verdict', request('POST', '/api/v1/verdicts'), GUARDED],
    ['reading from the page itself', request('GET', READ, { 'sec-fetch-site': 'same-origin' }), SERVER],
    ['navigating to a typed address', request('GET', '/', { 'sec-fetch-site': 'none' }), LAPTOP],
  ])('for %s needs no login', (_, info, rules) => {
    expect(decideAccess(info, rules)).toEqual({ admitted: true, actor: null });
  });

  it('for everything else needs an admin, whatever the path', () => {
    for (const info of [
      request('GET', ADMIN),
      request('GET', '/admin/queues/api/queues'),
      request('POST', '/anything'),
      request('POST', '/api/v1/verdicts/'),
      request('POST', '/api/v1/verdicts?x'),
      request('PUT', '/api/v1/verdicts'),
      request('OPTIONS', READ),
      request('DELETE', '/'),
    ]) {
      expect(decideAccess(info, LAPTOP)).toEqual({ admitted: true, actor: 'loopback' });
      expect(decideAccess(info, SERVER)).toMatchObject({ admitted: false, status: 403 });
      expect(decideAccess(info, GUARDED)).toMatchObject({ admitted: false, status: 401 });
    }
  });

  it('for admin requests needs a known token, on a loopback address as well once one is configured', () => {
    const bearer = (token: string) => request('POST', ADMIN, { authorization: `Bearer ${token}` });
    expect(decideAccess(bearer('first'), GUARDED)).toEqual({ admitted: true, actor: 'alice' });
    expect(decideAccess(bearer('second'), GUARDED)).toEqual({ admitted: true, actor: 'bob' });
    expect(decideAccess(bearer('third'), GUARDED)).toMatchObject({ admitted: false, status: 401 });
    expect(decideAccess(bearer(''), GUARDED)).toMatchObject({ admitted: false, status: 401 });
    expect(decideAccess(bearer('first'), SERVER)).toMatchObject({ admitted: false, status: 403 });
    expect(decideAccess(bearer('first'), { loopback: true, tokens: TOKENS })).toMatchObject({
      actor: 'alice',
    });
    expect(decideAccess(request('POST', ADMIN), { loopback: true, tokens: TOKENS })).toMatchObject({
      status: 401,
    });
  });

  it('is granted to browsers that send the token as the password', () => {
    expect(decideAccess(request('GET', '/admin/queues', basic('me:second')), GUARDED)).toMatchObject({
      actor: 'bob',
    });
    expect(decideAccess(request('GET', '/admin/queues', basic('second')), GUARDED)).toMatchObject({
      status: 401,
    });
    expect(decideAccess(request('GET', '/admin/queues', basic('me:third')), GUARDED)).toMatchObject({
      status: 401,
    });
  });

  it('for admin requests is not granted to requests that a proxy forwarded', () => {
    for (const header of ['x-forwarded-for', 'forwarded', 'via', 'x-forwarded-host']) {
      const forwarded = request('POST', ADMIN, { [header]: '10.0.0.7' });
      expect(decideAccess(forwarded, LAPTOP)).toMatchObject({ admitted: false, status: 403 });
      expect(decideAccess(request('GET', READ, { [header]: '10.0.0.7' }), LAPTOP)).toMatchObject({
        admitted: true,
      });
    }
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

  it.each([
    'http://evil.example',
    'http://localhost:3000',
    'http://127.0.0.1:8888',
    'null',
    'http://127.0.0.1:3000@evil.example',
  ])('with the origin %p is denied reading and admin, on a loopback address and elsewhere', (origin) => {
    for (const rules of [LAPTOP, SERVER, GUARDED]) {
      const authorization = 'Bearer first';
      expect(decideAccess(request('GET', READ, { origin }), rules)).toMatchObject(denied);
      expect(decideAccess(request('POST', ADMIN, { origin, authorization }), rules)).toMatchObject(denied);
    }
  });

  it('is distinguished from the page itself by its origin', () => {
    const own = { origin: 'http://127.0.0.1:3000', 'sec-fetch-site': 'same-origin' };
    expect(decideAccess(request('POST', ADMIN, own), LAPTOP)).toMatchObject({ actor: 'loopback' });
    const behindTls = { host: 'monitor.example', origin: 'https://monitor.example' };
    expect(
      decideAccess(request('POST', ADMIN, { ...behindTls, ...basic('me:first') }), GUARDED),
    ).toMatchObject({
      actor: 'alice',
    });
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

  it.each([['secret'], [`${sha256('a')}00`], [sha256('a').slice(1)], [''], ['# none\n']])(
    'is invalid: %p',
    (text) => {
      expect(() => parseTokens(`${text}\n`)).toThrow(RangeError);
    },
  );

  it('is not quoted in the error about an invalid line', () => {
    expect(() => parseTokens('my-secret-token')).toThrow(/^line 1 (?!.*my-secret)/);
  });
});
