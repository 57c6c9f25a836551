import { pathname } from '../frame/router.js';
import { problemOf, send } from '../service/send.js';

/** The page to sign in, which returns to this one. */
export const loginPath = (): string => `login?next=${encodeURIComponent(pathname.value)}`;

/**
 * Mutes, unmutes or acknowledges as the admin that this browser is signed in as.
 * @param path below `api/v1/admin/alerts/`
 * @returns the problem in words; null if it is done
 */
export async function changeAlerts(
  method: 'POST' | 'DELETE',
  path: string,
  body?: object,
): Promise<string | null> {
  const answer = await send(method, `api/v1/admin/alerts/${path}`, body);
  if (answer.status === 401) location.assign(loginPath());
  return answer.status >= 200 && answer.status < 300 ? null : problemOf(answer);
}
