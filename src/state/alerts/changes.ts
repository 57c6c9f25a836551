import type { ObjectStore } from '../../storage/object-store.js';

/**
 * The outbox changes with every evaluation that is sealed and with every attempt to deliver a message, the others when people
 * ask for something.
 */
const KEYS = ['_state/alerts/outbox.json', '_state/alerts/actions.json', '_state/alerts/policy.json'];

/** Another text as soon as `GET /api/v1/alerts` may answer something else. */
export async function alertsVersion(store: ObjectStore): Promise<string> {
  const entries = await Promise.all(KEYS.map((key) => store.head(key)));
  return entries.map((entry) => entry?.etag ?? '').join(' ');
}
