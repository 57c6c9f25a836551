import { createHmac, timingSafeEqual } from 'node:crypto';
import { MS_PER_DAY } from '../domain/time.js';
import type { AdminToken } from './admin-tokens.js';

/** Name of the cookie that signs a browser in as an admin. */
export const SESSION_COOKIE = 'mlflow_monitor_admin';
/** How long a browser stays signed in, ms. */
export const SESSION_MS = 7 * MS_PER_DAY;

/**
 * The value of the cookie: when it expires, and a signature with the digest of the token. So it needs no storage, holds in all
 * processes with the same tokens, and ends when its token is removed.
 * @param expires ms
 */
export const sessionOf = ({ sha256 }: AdminToken, expires: number): string =>
  `${expires}.${signature(sha256, expires).toString('base64url')}`;

const signature = (key: Buffer, expires: number): Buffer =>
  createHmac('sha256', key).update(`mlflow-monitor session ${expires}`).digest();

/**
 * @param cookies the header `Cookie`
 * @param now ms
 * @returns the name of the token that the browser signed in with; `undefined` without a valid session
 */
export function adminOfSession(
  cookies: string | undefined,
  tokens: readonly AdminToken[],
  now: number,
): string | undefined {
  const value = cookies
    ?.split(/; */)
    .find((pair) => pair.startsWith(`${SESSION_COOKIE}=`))
    ?.slice(SESSION_COOKIE.length + 1);
  const [, expires, signed = ''] = /^(\d{1,15})\.([\w-]{43})$/.exec(value ?? '') ?? [];
  if (expires === undefined || Number(expires) <= now) return undefined;
  const given = Buffer.from(signed, 'base64url');
  return tokens.find(({ sha256 }) => timingSafeEqual(signature(sha256, Number(expires)), given))?.name;
}
