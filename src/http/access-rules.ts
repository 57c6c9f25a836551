import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** What a request tells of itself, as far as access depends on it. */
export interface RequestInfo {
  readonly method: string;
  /** As it came: path and query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

export interface AdminToken {
  readonly name: string;
  readonly sha256: Buffer;
}

export interface AccessRules {
  /** Whether only this machine can reach the service. */
  readonly loopback: boolean;
  /** undefined: none are configured. */
  readonly tokens: readonly AdminToken[] | undefined;
}

export type Verdict =
  /** `actor`: who asks for an admin action; null: somebody who only looks. */
  | { readonly admitted: true; readonly actor: string | null }
  | { readonly admitted: false; readonly status: 401 | 403; readonly detail: string };

/** Whether nobody but this machine can reach an address that a server listens on. */
export const isLoopback = (host: string): boolean =>
  /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/i.test(host.trim());

/** Who may do what: to look needs no login, everything else needs an admin, and no foreign web page may do either. */
export function decideAccess(request: RequestInfo, rules: AccessRules): Verdict {
  const foreign = foreignPage(request, rules.loopback);
  if (foreign) return { admitted: false, status: 403, detail: foreign };
  return needsAdmin(request) ? admit(request, rules) : { admitted: true, actor: null };
}

/** Everything but a look outside the admin paths; of a path that cannot be read nobody knows. */
export function needsAdmin({ method, url }: RequestInfo): boolean {
  return !isLook(method) || isAdminPath(url);
}

const isLook = (method: string): boolean => method === 'GET' || method === 'HEAD';

/** By any part of the path, in any spelling that a router may take for it. */
export function isAdminPath(url: string): boolean {
  try {
    const path = decodeURIComponent(url.split(/[?#]/, 1)[0] ?? '');
    return path.toLowerCase().split(/[\\/]/).includes('admin');
  } catch {
    return true;
  }
}

/**
 * Why a web page of another site must have sent this. A page that was loaded under a foreign name which leads here (DNS
 * rebinding) still sends that name as `Host`; forms and scripts of other pages send their `Origin`, and browsers say by
 * `Sec-Fetch-Site` from where a request comes. To follow a link into the service is no harm: the page cannot read it.
 */
function foreignPage({ method, headers }: RequestInfo, loopback: boolean): string | undefined {
  const host = authorityOf(`http://${headers.host ?? ''}`);
  if (loopback && !(host && isLoopback(host.hostname))) {
    return 'This service listens on the loopback address only and answers to no other name: open it as 127.0.0.1 or localhost.';
  }
  const { origin } = headers;
  if (origin !== undefined && authorityOf(origin)?.host !== host?.host) {
    return `The page ${origin} may not use this service.`;
  }
  const site = headers['sec-fetch-site'] ?? 'none';
  const follows =
    isLook(method) && headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
  if (site !== 'same-origin' && site !== 'none' && !follows) {
    return 'A page of another site may not use this service.';
  }
  return undefined;
}

function authorityOf(address: string): URL | undefined {
  return /^https?:\/\/[^/@\\?#\s]+$/i.test(address) && URL.canParse(address) ? new URL(address) : undefined;
}

/** Headers by which a proxy says that it hands on what another machine asked. */
const RELAYED = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host'];

function admit({ headers }: RequestInfo, { loopback, tokens }: AccessRules): Verdict {
  if (tokens === undefined) {
    if (loopback && !RELAYED.some((name) => headers[name] !== undefined)) {
      return { admitted: true, actor: 'loopback' };
    }
    const detail =
      'Admin needs a token, and none is configured: set ADMIN_TOKEN_SHA256_FILE (docs/access.md says how).';
    return { admitted: false, status: 403, detail };
  }
  const given = tokenOf(headers.authorization);
  if (given === undefined) return { admitted: false, status: 401, detail: 'Admin needs a token.' };
  const digest = createHash('sha256').update(given).digest();
  // All are compared, each in constant time: how long it takes says nothing.
  const [known] = tokens.filter(({ sha256 }) => timingSafeEqual(sha256, digest));
  return known
    ? { admitted: true, actor: known.name }
    : { admitted: false, status: 401, detail: 'This is not an admin token.' };
}

/** Of `Bearer <token>`, or the password of `Basic`: browsers can send no other. */
function tokenOf(authorization: string | undefined): string | undefined {
  const [, scheme, value = ''] = /^(Bearer|Basic) +([^\s]+) *$/i.exec(authorization ?? '') ?? [];
  if (scheme?.toLowerCase() !== 'basic') return scheme && value;
  const pair = Buffer.from(value, 'base64').toString('utf8');
  return pair.includes(':') ? pair.slice(pair.indexOf(':') + 1) : undefined;
}

/**
 * Reads a file of tokens: on each line the SHA-256 of one (64 hex digits) and, behind a space, its name; `#` begins a comment.
 * @throws {RangeError} a line is no such thing, or there is none
 */
export function parseTokens(text: string): AdminToken[] {
  const lines = text.split('\n').map((line) => line.replace(/#.*/, '').trim());
  const tokens = lines.flatMap((line, i) => {
    if (line === '') return [];
    const [, hex, name] = /^([0-9a-f]{64})(?:\s+(.+))?$/i.exec(line) ?? [];
    if (!hex) throw new RangeError(`line ${i + 1} does not begin with a SHA-256 of 64 hex digits`);
    // `sha256sum` writes a dash behind what it read from its input.
    return [{ name: name && name !== '-' ? name : `token ${i + 1}`, sha256: Buffer.from(hex, 'hex') }];
  });
  if (tokens.length === 0) throw new RangeError('it holds no token');
  return tokens;
}
