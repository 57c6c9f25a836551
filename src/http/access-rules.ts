import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { adminOfSession } from './admin-session.js';
import type { AdminToken } from './admin-tokens.js';
import type { PublicAddress } from './public-address.js';

/** The parts of a request on which access depends. */
export interface RequestInfo {
  readonly method: string;
  /** Path and query, as received. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

export interface AccessRules {
  /** Whether the service listens on a loopback address only. */
  readonly loopback: boolean;
  /** Further host names under which the service may be addressed; `*` allows all. */
  readonly allowedHosts: readonly string[];
  /** Its host and its pages are the service's own. */
  readonly publicAddress: PublicAddress | null;
  /** Empty for requests that need no admin. */
  readonly tokens: readonly AdminToken[];
  /** ms */
  readonly now: number;
}

export type Verdict =
  /** `actor`: the name of the admin; `null` for a request that needs no admin. */
  | { readonly admitted: true; readonly actor: string | null }
  | { readonly admitted: false; readonly status: 401 | 403 | 415; readonly detail: string };

/** Whether only this machine can reach a server that listens on the address. */
export const isLoopback = (host: string): boolean =>
  /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/i.test(host.trim());

/** Reading needs no login and everything else an admin. Requests of pages from other sites are denied in both cases. */
export function decideAccess(request: RequestInfo, rules: AccessRules): Verdict {
  const foreignPage = detectForeignPage(request, rules);
  if (foreignPage) return { admitted: false, status: 403, detail: foreignPage };
  if (!hasJsonBody(request)) {
    return { admitted: false, status: 415, detail: 'The body of a request must be application/json.' };
  }
  return needsAdmin(request) ? authorizeAdmin(request, rules) : { admitted: true, actor: null };
}

/** Pages of other sites can send forms and plain text without being asked for permission, but not JSON. */
function hasJsonBody({ headers }: RequestInfo): boolean {
  const hasBody = Number(headers['content-length'] ?? 0) > 0 || headers['transfer-encoding'] !== undefined;
  return !hasBody || /^application\/json\s*(;|$)/i.test(headers['content-type'] ?? '');
}

/**
 * Requests for everybody although their method is `POST`: the parameters of a verdict are a document, and signing in and out
 * changes nothing but a cookie.
 */
const OPEN_POSTS: readonly string[] = ['/api/v1/verdicts', '/api/v1/login', '/api/v1/logout'];

/** True except for requests outside the admin paths that only read. */
export function needsAdmin({ method, url }: RequestInfo): boolean {
  const isOpenPost = method === 'POST' && OPEN_POSTS.includes(url);
  return !(isRead(method) || isOpenPost) || isAdminPath(url);
}

export const isRead = (method: string): boolean => method === 'GET' || method === 'HEAD';

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
function detectForeignPage(
  { method, headers }: RequestInfo,
  { loopback, allowedHosts, publicAddress }: AccessRules,
): string | undefined {
  const host = authorityOf(`http://${headers.host ?? ''}`);
  if (!host) return 'The request names no valid host.';
  const isOwnName = loopback ? isLoopback : isPrivateName;
  const names = [...allowedHosts, ...(publicAddress ? [publicAddress.hostname] : [])];
  if (!isOwnName(host.hostname) && !isListed(host.hostname, names)) {
    const reason = `This service does not accept requests to ${host.hostname}. If this is its name, add it to ALLOWED_HOSTS.`;
    return loopback ? `${reason} On this machine, open it as 127.0.0.1 or localhost.` : reason;
  }
  const { origin } = headers;
  // A proxy on the same machine often sends the name by which it knows the service.
  const ownHosts = [host.host, publicAddress?.host];
  if (origin !== undefined && !ownHosts.includes(authorityOf(origin)?.host ?? '')) {
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

/**
 * Names that no other site can own: IP addresses, names without a dot, and those below the domains that public DNS does not
 * delegate (RFC 6761, RFC 6762, ICANN's `internal`; `svc` is Kubernetes' abbreviation of `svc.cluster.local`).
 */
const isPrivateName = (hostname: string): boolean =>
  /^(\[[0-9a-f:.]+\]|\d{1,3}(\.\d{1,3}){3}|[^.]+|.+\.(localhost|local|internal|svc))$/i.test(hostname);

const isListed = (hostname: string, allowed: readonly string[]): boolean =>
  allowed.some((name) => name === '*' || name.toLowerCase() === hostname);

function authorizeAdmin({ headers }: RequestInfo, { tokens, now }: AccessRules): Verdict {
  const token = bearerOf(headers.authorization);
  const actor = token === undefined ? adminOfSession(headers.cookie, tokens, now) : adminOf(token, tokens);
  if (actor !== undefined) return { admitted: true, actor };
  const detail =
    token === undefined ? 'Admin requests need a token or a login.' : 'The token is not an admin token.';
  return { admitted: false, status: 401, detail };
}

/** @returns the name of the token; `undefined` if it is not an admin token */
export function adminOf(token: string, tokens: readonly AdminToken[]): string | undefined {
  const digest = createHash('sha256').update(token).digest();
  // Compares all of them, each in constant time, so that the duration reveals nothing.
  const [known] = tokens.filter(({ sha256 }) => timingSafeEqual(sha256, digest));
  return known?.name;
}

const bearerOf = (authorization: string | undefined): string | undefined =>
  /^Bearer +([^\s]+) *$/i.exec(authorization ?? '')?.[1];
