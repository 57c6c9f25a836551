import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** The parts of a request on which access depends. */
export interface RequestInfo {
  readonly method: string;
  /** Path and query, as received. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

export interface AdminToken {
  readonly name: string;
  readonly sha256: Buffer;
}

export interface AccessRules {
  /** Whether the service listens on a loopback address only. */
  readonly loopback: boolean;
  /** `undefined` if none are configured. */
  readonly tokens: readonly AdminToken[] | undefined;
}

export type Verdict =
  /** `actor`: the name of the admin; `null` for a request that needs no admin. */
  | { readonly admitted: true; readonly actor: string | null }
  | { readonly admitted: false; readonly status: 401 | 403; readonly detail: string };

/** Whether only this machine can reach a server that listens on the address. */
export const isLoopback = (host: string): boolean =>
  /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/i.test(host.trim());

/** Reading needs no login and everything else an admin. Requests of pages from other sites are denied in both cases. */
export function decideAccess(request: RequestInfo, rules: AccessRules): Verdict {
  const foreignPage = detectForeignPage(request, rules.loopback);
  if (foreignPage) return { admitted: false, status: 403, detail: foreignPage };
  return needsAdmin(request) ? authorizeAdmin(request, rules) : { admitted: true, actor: null };
}

/** Requests that only read although their method is `POST`: their parameters are a document. */
const READING_POSTS: readonly string[] = ['/api/v1/verdicts'];

/** True except for requests outside the admin paths that only read. */
export function needsAdmin({ method, url }: RequestInfo): boolean {
  const isReadingPost = method === 'POST' && READING_POSTS.includes(url);
  return !(isRead(method) || isReadingPost) || isAdminPath(url);
}

const isRead = (method: string): boolean => method === 'GET' || method === 'HEAD';

/**
 * Whether any segment of the path is `admin`, in any spelling that a router might accept. True if the path cannot be decoded.
 * Below `/app/` segments are names of applications and metrics, and nothing but the page is served.
 */
export function isAdminPath(url: string): boolean {
  if (url.startsWith('/app/')) return false;
  try {
    const path = decodeURIComponent(url.split(/[?#]/, 1)[0] ?? '');
    return path.toLowerCase().split(/[\\/]/).includes('admin');
  } catch {
    return true;
  }
}

/**
 * Detects requests of web pages from other sites. A page that was loaded from a foreign name that resolves to this machine
 * (DNS rebinding) sends that name as `Host`. Forms and scripts of other pages send their `Origin`, and browsers state the
 * relation of the sites in `Sec-Fetch-Site`. Following a link into the service is allowed: the linking page cannot read the
 * response.
 * @returns the reason for the denial; `undefined` if the request is acceptable
 */
function detectForeignPage({ method, headers }: RequestInfo, loopback: boolean): string | undefined {
  const host = authorityOf(`http://${headers.host ?? ''}`);
  if (loopback && !(host && isLoopback(host.hostname))) {
    return 'This service accepts requests to loopback names only: open it as 127.0.0.1 or localhost.';
  }
  const { origin } = headers;
  if (origin !== undefined && authorityOf(origin)?.host !== host?.host) {
    return `Requests from pages of ${origin} are denied.`;
  }
  const site = headers['sec-fetch-site'] ?? 'none';
  const followsLink =
    isRead(method) && headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
  if (site !== 'same-origin' && site !== 'none' && !followsLink) {
    return 'Requests from pages of other sites are denied.';
  }
  return undefined;
}

function authorityOf(address: string): URL | undefined {
  return /^https?:\/\/[^/@\\?#\s]+$/i.test(address) && URL.canParse(address) ? new URL(address) : undefined;
}

/** Headers that a proxy adds when it forwards a request of another machine. */
const PROXY_HEADERS = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host'];

function authorizeAdmin({ headers }: RequestInfo, { loopback, tokens }: AccessRules): Verdict {
  if (tokens === undefined) {
    if (loopback && !PROXY_HEADERS.some((name) => headers[name] !== undefined)) {
      return { admitted: true, actor: 'loopback' };
    }
    const detail =
      'Admin requests need a token, and none is configured: set ADMIN_TOKEN_SHA256_FILE (see docs/access.md).';
    return { admitted: false, status: 403, detail };
  }
  const token = tokenOf(headers.authorization);
  if (token === undefined) return { admitted: false, status: 401, detail: 'Admin requests need a token.' };
  const digest = createHash('sha256').update(token).digest();
  // Compares all of them, each in constant time, so that the duration reveals nothing.
  const [known] = tokens.filter(({ sha256 }) => timingSafeEqual(sha256, digest));
  return known
    ? { admitted: true, actor: known.name }
    : { admitted: false, status: 401, detail: 'The token is not an admin token.' };
}

/** The token of `Bearer <token>`, or the password of `Basic`, the only scheme that browsers prompt for. */
function tokenOf(authorization: string | undefined): string | undefined {
  const [, scheme, value = ''] = /^(Bearer|Basic) +([^\s]+) *$/i.exec(authorization ?? '') ?? [];
  if (scheme?.toLowerCase() !== 'basic') return scheme && value;
  const pair = Buffer.from(value, 'base64').toString('utf8');
  return pair.includes(':') ? pair.slice(pair.indexOf(':') + 1) : undefined;
}

/**
 * Parses a token file: each line has the SHA-256 of a token (64 hex digits) and optionally, after a space, its name. `#`
 * starts a comment.
 * @throws {RangeError} a line is malformed, or there is no token; the message does not quote the line
 */
export function parseTokens(text: string): AdminToken[] {
  const lines = text.split('\n').map((line) => line.replace(/#.*/, '').trim());
  const tokens = lines.flatMap((line, i) => {
    if (line === '') return [];
    const [, hex, name] = /^([0-9a-f]{64})(?:\s+(.+))?$/i.exec(line) ?? [];
    if (!hex) throw new RangeError(`line ${i + 1} does not start with a SHA-256 of 64 hex digits`);
    // `sha256sum` prints a dash as the name of standard input.
    return [{ name: name && name !== '-' ? name : `token ${i + 1}`, sha256: Buffer.from(hex, 'hex') }];
  });
  if (tokens.length === 0) throw new RangeError('it holds no token');
  return tokens;
}
