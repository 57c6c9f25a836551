import { z } from 'zod';
import { type AlertActions, NO_ACTIONS } from '../../domain/alerts/actions.js';
import { MS_PER_DAY } from '../../domain/time.js';
import { readDocument, updateDocument } from '../../storage/json-document.js';
import type { ObjectStore } from '../../storage/object-store.js';

/** What people asked for: mutes and acknowledgements. */
const KEY = '_state/alerts/actions.json';
const time = z.iso.datetime();
const text = z.string().nullable();

export const muteSchema = z.object({
  id: z.string(),
  incident: text,
  application: text,
  metric: text,
  from: time,
  until: time,
  by: z.string(),
  reason: z.string(),
});

const schema = z.object({
  version: z.literal(1),
  mutes: z.array(muteSchema).readonly(),
  acknowledgements: z.array(z.object({ incident: z.string(), at: time, by: z.string() })).readonly(),
});

/** How long acknowledgements and ended mutes are kept. */
const KEEP_MS = 90 * MS_PER_DAY;

export async function readAlertActions(store: ObjectStore): Promise<AlertActions> {
  return (await readDocument(store, KEY, schema))?.value ?? NO_ACTIONS;
}

/** @param change may run several times @param now ms @returns what is now stored */
export async function updateAlertActions(
  store: ObjectStore,
  change: (current: AlertActions) => AlertActions,
  now: number,
): Promise<AlertActions> {
  const isKept = (at: string) => Date.parse(at) > now - KEEP_MS;
  const stored = await updateDocument(store, KEY, schema, (current) => {
    const { mutes, acknowledgements } = change(current ?? NO_ACTIONS);
    return {
      version: 1 as const,
      mutes: mutes.filter(({ until }) => isKept(until)),
      acknowledgements: acknowledgements.filter(({ at }) => isKept(at)),
    };
  });
  return stored ?? NO_ACTIONS;
}
