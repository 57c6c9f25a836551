import { nameOfSegment } from '../../../src/domain/page-paths.js';

export { applicationPath, metricPath } from '../../../src/domain/page-paths.js';

/** The page that a path names. `unknown`: the service has no such page. */
export type Page =
  | { readonly kind: 'platform' }
  | { readonly kind: 'login' }
  /** `incident`: null for all. */
  | { readonly kind: 'alerts'; readonly incident: string | null }
  | { readonly kind: 'application'; readonly application: string }
  | { readonly kind: 'metric'; readonly application: string; readonly metric: string }
  | { readonly kind: 'unknown' };

/** Names are single encoded segments, so that they may contain slashes. */
const BELOW = /^\/app\/([^/]+)(?:\/metric\/([^/]+))?\/?$/;

const ALERTS = /^\/alerts(?:\/([^/]+))?\/?$/;

export function pageOf(pathname: string): Page {
  if (pathname === '/') return { kind: 'platform' };
  if (pathname === '/login') return { kind: 'login' };
  const [alerts, incident] = ALERTS.exec(pathname) ?? [];
  if (alerts !== undefined) return { kind: 'alerts', incident: decode(incident) };
  const [, application, metric] = BELOW.exec(pathname) ?? [];
  const [applicationName, metricName] = [decode(application), decode(metric)];
  if (applicationName === null || (metric !== undefined && metricName === null)) return { kind: 'unknown' };
  return metricName === null
    ? { kind: 'application', application: applicationName }
    : { kind: 'metric', application: applicationName, metric: metricName };
}

/** null if there is no text, or if it is not encoded as a name. */
function decode(segment: string | undefined): string | null {
  try {
    return segment === undefined ? null : nameOfSegment(segment);
  } catch {
    return null;
  }
}

/** The changes of a query by parameter; null and '' remove it. */
export type QueryChanges = Readonly<Record<string, string | null>>;

/** A query with some parameters changed, the others as they are: `''` or with its question mark. */
export function changedQuery(search: string, changes: QueryChanges): string {
  const query = new URLSearchParams(search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === '') query.delete(name);
    else query.set(name, value);
  }
  return query.size === 0 ? '' : `?${query}`;
}
