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

const LOOK = '/api/v1/platform/current';
const ADMIN = '/api/v1/admin/backfills';
const asked = (method: string, url: string, headers: RequestInfo['headers'] = {}): RequestInfo => ({
  method,
  url,
  headers: { host: '127.0.0.1:3000', ...headers },
});
const basic = (pair: string) => ({ authorization: `Basic ${Buffer.from(pair).toString('base64')}` });

describe('what a request may do', () => {
  it.each([
    ['a look', asked('GET', LOOK), LAPTOP],
    ['a probe', asked('GET', '/health/live'), SERVER],
    ['the metrics', asked('HEAD', '/metrics'), SERVER],
    ['a look from the page itself', asked('GET', LOOK, { 'sec-fetch-site': 'same-origin' }), SERVER],
    ['an address that was typed in', asked('GET', '/', { 'sec-fetch-site': 'none' }), LAPTOP],
  ])('%s needs no login', (_, request, rules) => {
    expect(decideAccess(request, rules)).toEqual({ admitted: true, actor: null });
  });

  it('everything else is an admin action, whatever its path', () => {
    for (const request of [
      asked('GET', ADMIN),
      asked('GET', '/admin/queues/api/queues'),
      asked('POST', '/anything'),
      asked('OPTIONS', LOOK),
      asked('DELETE', '/'),
    ]) {
      expect(decideAccess(request, LAPTOP)).toEqual({ admitted: true, actor: 'loopback' });
      expect(decideAccess(request, SERVER)).toMatchObject({ admitted: false, status: 403 });
      expect(decideAccess(request, GUARDED)).toMatchObject({ admitted: false, status: 401 });
    }
  });

  it('admin needs a token that is known, also on a laptop once one is configured', () => {
    const bearer = (token: string) => asked('POST', ADMIN, { authorization: `Bearer ${token}` });
    expect(decideAccess(bearer('first'), GUARDED)).toEqual({ admitted: true, actor: 'alice' });
    expect(decideAccess(bearer('second'), GUARDED)).toEqual({ admitted: true, actor: 'bob' });
    expect(decideAccess(bearer('third'), GUARDED)).toMatchObject({ admitted: false, status: 401 });
    expect(decideAccess(bearer(''), GUARDED)).toMatchObject({ admitted: false, status: 401 });
    expect(decideAccess(bearer('first'), SERVER)).toMatchObject({ admitted: false, status: 403 });
    expect(decideAccess(bearer('first'), { loopback: true, tokens: TOKENS })).toMatchObject({
      actor: 'alice',
    });
    expect(decideAccess(asked('POST', ADMIN), { loopback: true, tokens: TOKENS })).toMatchObject({
      status: 401,
    });
  });

  it('a browser gives the token as the password', () => {
    expect(decideAccess(asked('GET', '/admin/queues', basic('me:second')), GUARDED)).toMatchObject({
      actor: 'bob',
    });
    expect(decideAccess(asked('GET', '/admin/queues', basic('second')), GUARDED)).toMatchObject({
      status: 401,
    });
    expect(decideAccess(asked('GET', '/admin/queues', basic('me:third')), GUARDED)).toMatchObject({
      status: 401,
    });
  });

  it('what a proxy hands on is not from this machine', () => {
    for (const header of ['x-forwarded-for', 'forwarded', 'via', 'x-forwarded-host']) {
      const relayed = asked('POST', ADMIN, { [header]: '10.0.0.7' });
      expect(decideAccess(relayed, LAPTOP)).toMatchObject({ admitted: false, status: 403 });
      expect(decideAccess(asked('GET', LOOK, { [header]: '10.0.0.7' }), LAPTOP)).toMatchObject({
        admitted: true,
      });
    }
  });
});

describe('a page of another site', () => {
  const refused = { admitted: false, status: 403 };

  it.each([
    'evil.example',
    'evil.example:3000',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    '0.0.0.0:3000',
    '192.168.1.7:3000',
    'x@127.0.0.1',
    '',
  ])('reaches nothing on a laptop under the name %p', (host) => {
    expect(decideAccess(asked('GET', LOOK, { host }), LAPTOP)).toMatchObject(refused);
  });

  it.each(['127.0.0.1:3000', 'localhost:8080', 'LOCALHOST', '[::1]:3000', '127.9.9.9'])(
    'is not met under the name %p',
    (host) => {
      expect(decideAccess(asked('GET', LOOK, { host }), LAPTOP)).toMatchObject({ admitted: true });
    },
  );

  it.each([
    'http://evil.example',
    'http://localhost:3000',
    'http://127.0.0.1:8888',
    'null',
    'http://127.0.0.1:3000@evil.example',
  ])('with the origin %p is refused, to look and to act, on a laptop and elsewhere', (origin) => {
    for (const rules of [LAPTOP, SERVER, GUARDED]) {
      const authorization = 'Bearer first';
      expect(decideAccess(asked('GET', LOOK, { origin }), rules)).toMatchObject(refused);
      expect(decideAccess(asked('POST', ADMIN, { origin, authorization }), rules)).toMatchObject(refused);
    }
  });

  it('is told from the page itself by its origin', () => {
    const own = { origin: 'http://127.0.0.1:3000', 'sec-fetch-site': 'same-origin' };
    expect(decideAccess(asked('POST', ADMIN, own), LAPTOP)).toMatchObject({ actor: 'loopback' });
    const behindTls = { host: 'monitor.example', origin: 'https://monitor.example' };
    expect(decideAccess(asked('POST', ADMIN, { ...behindTls, ...basic('me:first') }), GUARDED)).toMatchObject(
      {
        actor: 'alice',
      },
    );
  });

  it('may link to the service, and neither embed it nor post to it', () => {
    const linked = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
    for (const site of ['cross-site', 'same-site']) {
      const from = { 'sec-fetch-site': site };
      expect(decideAccess(asked('GET', '/', { ...from, ...linked }), LAPTOP)).toMatchObject({
        admitted: true,
      });
      expect(decideAccess(asked('POST', ADMIN, { ...from, ...linked }), LAPTOP)).toMatchObject(refused);
      expect(
        decideAccess(asked('GET', '/', { ...from, ...linked, 'sec-fetch-dest': 'iframe' }), LAPTOP),
      ).toMatchObject(refused);
      expect(
        decideAccess(asked('GET', LOOK, { ...from, 'sec-fetch-mode': 'no-cors' }), LAPTOP),
      ).toMatchObject(refused);
    }
  });
});

describe('what is admin', () => {
  it.each([
    '/admin',
    '/admin/queues',
    '/API/V1/ADMIN/backfills',
    '/api/v1/%61dmin/backfills',
    '//admin//queues',
    '/api/../admin/queues',
    '/admin?x=1',
    '\\admin',
    '/%zz',
  ])('%s', (url) => {
    expect(isAdminPath(url)).toBe(true);
  });

  it.each(['/', '/api/v1/platform/current', '/administration', '/docs?x=/admin/'])('not %s', (url) => {
    expect(isAdminPath(url)).toBe(false);
  });
});

describe('an address to listen on', () => {
  it('is loopback only if no other machine reaches it', () => {
    expect(['127.0.0.1', '127.0.0.53', 'localhost', '::1', '[::1]'].map(isLoopback)).not.toContain(false);
    expect(['0.0.0.0', '::', '192.168.1.7', '128.0.0.1', 'localhost.example'].map(isLoopback)).not.toContain(
      true,
    );
  });
});

describe('the file of tokens', () => {
  it('names each token; a dash, as sha256sum writes it, is no name', () => {
    const text = `# admins\n\n${sha256('a')}  -\n${sha256('b').toUpperCase()} carol smith # left\r\n`;
    expect(parseTokens(text)).toEqual([
      { name: 'token 3', sha256: Buffer.from(sha256('a'), 'hex') },
      { name: 'carol smith', sha256: Buffer.from(sha256('b'), 'hex') },
    ]);
  });

  it.each([['secret'], [`${sha256('a')}00`], [sha256('a').slice(1)], [''], ['# none\n']])(
    'is refused whole: %p',
    (text) => {
      expect(() => parseTokens(`${text}\n`)).toThrow(RangeError);
    },
  );

  it('does not show what stands on a wrong line', () => {
    expect(() => parseTokens('my-secret-token')).toThrow(/^line 1 (?!.*my-secret)/);
  });
});
