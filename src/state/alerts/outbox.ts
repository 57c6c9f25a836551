import { z } from 'zod';
import { ALERT_NEWS } from '../../domain/alerts/first-line.js';
import { ALERT_RULES, DIGEST_REASONS } from '../../domain/alerts/incident.js';
import { MESSAGE_KINDS } from '../../domain/alerts/plan-messages.js';
import {
  createDocument,
  ifReadable,
  readDocument,
  readValue,
  updateDocument,
} from '../../storage/json-document.js';
import { listKeys } from '../../storage/list-keys.js';
import type { ObjectStore } from '../../storage/object-store.js';
import { alertIncidentSchema } from './evaluation-schema.js';

const time = z.iso.datetime();
const lineSchema = z.object({
  news: z.enum(ALERT_NEWS),
  incident: alertIncidentSchema,
  held: z.enum(['quiet_hours', ...DIGEST_REASONS]).nullable(),
});

const count = z.int().min(0);
/** The noise of a rule, as it is stored. Times in ms. */
const noiseNoteSchema = z.object({
  rule: z.enum(ALERT_RULES),
  fired: count,
  acknowledged: count,
  muted: count,
  corrected: count,
  median_recovery: z.number().nullable(),
  halving: z
    .object({ setting: z.enum(['limit', 'for_minutes']), value: z.number(), fired: count })
    .nullable(),
});

/** A sealed message: put once, before anything is sent. All attempts send it under its id. */
const messageSchema = z.object({
  version: z.literal(1),
  id: z.string(),
  route: z.string(),
  kind: z.enum(MESSAGE_KINDS),
  at: time,
  lines: z.array(lineSchema).readonly(),
  noise: z.array(noiseNoteSchema).readonly().optional(),
});
export type SealedMessage = z.infer<typeof messageSchema>;

/** What became of one channel of a message. `retry`: another attempt follows. */
const triedSchema = z.object({
  channel: z.string(),
  type: z.string(),
  outcome: z.enum(['delivered', 'retry', 'failed', 'gone']),
  attempts: z.int(),
  error: z.string().nullable(),
  at: time,
});
export type TriedChannel = z.infer<typeof triedSchema>;

const unfinishedSchema = z.object({
  /** `<sequence>.<route>.<kind>` */
  name: z.string(),
  route: z.string(),
  sequence: z.int(),
  sealed_at: time,
  /** The ids of the incidents that no later message of the route is about. */
  incidents: z.array(z.string()),
  /** The channel of the route that is tried, from 0, and how often it was tried. */
  channel: z.int(),
  attempts: z.int(),
  next_at: time,
  /** The process that makes an attempt, until it ends. */
  lease: z.object({ by: z.string(), until: time }).nullable(),
  tried: z.array(triedSchema),
});
export type UnfinishedMessage = z.infer<typeof unfinishedSchema>;

const outboxSchema = z.object({
  version: z.literal(1),
  /** null before the first evaluation. */
  plan: z
    .object({
      through: z.int(),
      to: time,
      digest_day: z.string(),
      held: z.array(lineSchema).readonly(),
    })
    .nullable(),
  /** Oldest first. */
  unfinished: z.array(unfinishedSchema),
  /** Digests of the addresses whose receiver wants no more messages. */
  disabled: z.array(z.object({ channel: z.string(), until: time })),
});
export type Outbox = z.infer<typeof outboxSchema>;

export const EMPTY_OUTBOX: Outbox = { version: 1, plan: null, unfinished: [], disabled: [] };

const KEY = '_state/alerts/outbox.json';

export async function readOutbox(store: ObjectStore): Promise<Outbox> {
  return (await readDocument(store, KEY, outboxSchema))?.value ?? EMPTY_OUTBOX;
}

/** @param change may run several times; `undefined` writes nothing */
export async function updateOutbox(
  store: ObjectStore,
  change: (current: Outbox) => Outbox | undefined,
): Promise<void> {
  await updateDocument(store, KEY, outboxSchema, (current = EMPTY_OUTBOX) => change(current));
}

export const MESSAGES_PREFIX = '_state/alerts/messages/';
export const DELIVERIES_PREFIX = '_state/alerts/deliveries/';
const messageKey = (name: string): string => `${MESSAGES_PREFIX}${name}.json`;

/** @returns the message that is stored: another process may have been first */
export async function sealMessage(
  store: ObjectStore,
  name: string,
  message: SealedMessage,
): Promise<SealedMessage> {
  if (await createDocument(store, messageKey(name), messageSchema, message)) return message;
  return (await readMessage(store, name)) ?? message;
}

export const readMessage = async (store: ObjectStore, name: string): Promise<SealedMessage | undefined> =>
  readValue(store, messageKey(name), messageSchema);

/** What became of a message: put once, when it is finished. */
const deliverySchema = z.object({
  version: z.literal(1),
  id: z.string(),
  route: z.string(),
  kind: z.enum(MESSAGE_KINDS),
  /** `superseded`: a later message of the route is about all its incidents. `skipped`: no channel is meant for it. */
  status: z.enum(['delivered', 'failed', 'superseded', 'skipped']),
  sealed_at: time,
  finished_at: time,
  incidents: z.array(z.string()),
  channels: z.array(triedSchema),
});
export type AlertDelivery = z.infer<typeof deliverySchema>;

/** The first record of a message stays. */
export async function recordDelivery(store: ObjectStore, name: string, record: AlertDelivery): Promise<void> {
  await createDocument(store, `${DELIVERIES_PREFIX}${name}.json`, deliverySchema, record);
}

export const readDelivery = (store: ObjectStore, name: string): Promise<AlertDelivery | undefined> =>
  readValue(store, `${DELIVERIES_PREFIX}${name}.json`, deliverySchema);

/**
 * The newest records, newest first.
 * @param count at most so many
 * @param known records by key that are not read again: they never change. Afterwards it holds those that are returned
 * @param damaged gets the keys of records that cannot be read
 */
export async function readDeliveries(
  store: ObjectStore,
  count: number,
  known: Map<string, AlertDelivery> = new Map(),
  damaged: string[] = [],
): Promise<AlertDelivery[]> {
  const keys: string[] = [];
  for await (const key of listKeys(store, DELIVERIES_PREFIX)) keys.push(key);
  const records = await Promise.all(
    keys
      .slice(-count)
      .reverse()
      .map(async (key) => [key, known.get(key) ?? (await readRecord(store, key, damaged))] as const),
  );
  known.clear();
  for (const [key, record] of records) if (record) known.set(key, record);
  return [...known.values()];
}

async function readRecord(
  store: ObjectStore,
  key: string,
  damaged: string[],
): Promise<AlertDelivery | undefined> {
  const record = await ifReadable(readDocument(store, key, deliverySchema).then((found) => found ?? null));
  if (record === undefined) damaged.push(key);
  return record?.value;
}

const SEQUENCE_DIGITS = 10;

/** `0000000042.fraud.alert`: sorts by sequence. */
export const messageName = (sequence: number, route: string, kind: string): string =>
  `${String(sequence).padStart(SEQUENCE_DIGITS, '0')}.${route}.${kind}`;

/** Deletes the messages and records of evaluations before `sequence` that are finished. */
export async function pruneMessages(store: ObjectStore, sequence: number): Promise<void> {
  const unfinished = new Set((await readOutbox(store)).unfinished.map(({ name }) => name));
  const first = String(sequence).padStart(SEQUENCE_DIGITS, '0');
  for (const prefix of [MESSAGES_PREFIX, DELIVERIES_PREFIX]) {
    for await (const key of listKeys(store, prefix)) {
      const name = key.slice(prefix.length, -'.json'.length);
      if (name >= first) break;
      if (!unfinished.has(name)) await store.delete(key);
    }
  }
}
