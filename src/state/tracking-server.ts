import { z } from 'zod';
import { MonitorError } from '../domain/errors.js';
import { createDocument, readDocument, updateDocument } from '../storage/json-document.js';
import type { ObjectStore } from '../storage/object-store.js';

/** Injection token of `() => Promise<number>`: the current time of the tracking server's clock, ms. */
export const SERVER_CLOCK = Symbol('SERVER_CLOCK');

interface ListedExperiment {
  readonly experiment_id: string;
  /** ms; null if the server does not report it. */
  readonly creation_time: number | null;
}

const KEY = '_state/source.json';
const schema = z.object({ version: z.literal(1), identity: z.string(), uri: z.string() });

/**
 * Identifies a tracking server: the creation time of its experiment 0, else its address. Of the workspaces of a server, only
 * the default one has experiment 0; the others are identified by address and name.
 */
export function trackingServerIdentity(experiments: readonly ListedExperiment[], uri: string): string {
  const first = experiments.find(({ experiment_id }) => experiment_id === '0');
  return first?.creation_time ? `experiment 0 of ${first.creation_time}` : uri;
}

/** The tracking server that the store belongs to; `undefined` if none yet. */
export async function readTrackingServer(store: ObjectStore): Promise<z.infer<typeof schema> | undefined> {
  return (await readDocument(store, KEY, schema))?.value;
}

/**
 * Guards against a second tracking server, for example a mistyped address: the sweep would remove the data of the first.
 * @param uri the address without user and password, and the workspace if there is one: it is stored and shown
 * @throws {MonitorError} `other_source`: the store belongs to another tracking server
 */
export async function assertTrackingServer(
  store: ObjectStore,
  experiments: readonly ListedExperiment[],
  uri: string,
  allowChange: boolean,
): Promise<void> {
  const found = { version: 1 as const, identity: trackingServerIdentity(experiments, uri), uri };
  if (await createDocument(store, KEY, schema, found)) return;
  const stored = await readTrackingServer(store);
  if (!stored || stored.identity === found.identity) return;
  if (allowChange) {
    await updateDocument(store, KEY, schema, () => found);
    return;
  }
  throw new MonitorError(
    'other_source',
    `The ${store.description} belongs to the tracking server ${stored.uri} (${stored.identity}), but MLFLOW_TRACKING_URI is ${uri} (${found.identity}). ` +
      'Correct MLFLOW_TRACKING_URI, use another STORAGE_DIR, or set ALLOW_SOURCE_CHANGE=true for one start if the server has moved.',
    { stored: stored.identity, found: found.identity },
  );
}
