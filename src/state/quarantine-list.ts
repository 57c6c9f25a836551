import { z } from 'zod';
import { addDays, dayOf } from '../domain/time.js';
import { readDocument, updateDocument } from '../storage/json-document.js';
import type { ObjectStore } from '../storage/object-store.js';
import {
  addRecords,
  byDay,
  deleteRecordsBefore,
  newTo,
  type QuarantinedRecord,
  type QuarantinedRecords,
  quarantinedRecordSchema,
  readRecordsOf,
} from './quarantine-records.js';

/** How long after their first observation records may leave the quarantine. docs/storage.md and docs/data.md name it. */
export const QUARANTINE_RETENTION_DAYS = 90;

const KEY = '_state/quarantine/list.json';
const entrySchema = z.object({
  run_id: z.string().nullable(),
  /** The day of the first observation. */
  day: z.iso.date(),
  /** Whether the document of older versions has it as well. */
  in_old: z.boolean().optional(),
});
const schema = z.object({
  version: z.literal(1),
  records: z.record(z.string(), entrySchema),
  /** The ETag of the document of older versions whose records are all in this list; null if there was none. */
  old_etag: z.string().nullable(),
});
type List = z.infer<typeof schema>;

/** What is in quarantine, by digest of the record. It is read by every slice, so the records themselves are elsewhere. */
export type QuarantineList = Readonly<List['records']>;

/** The document of older versions, with all records. They still use it if they run beside this one. */
const OLD_KEY = '_state/quarantine.json';
const oldSchema = z.object({
  version: z.literal(1),
  records: z.record(z.string(), quarantinedRecordSchema),
});

const EMPTY: List = { version: 1, records: {}, old_etag: null };

/** The list, which callers share and do not modify. */
export const readQuarantineList = async (store: ObjectStore): Promise<QuarantineList> =>
  (await look(store)).list.records;

const PREFIX = '_state/quarantine';
interface KnownList {
  readonly etag: string;
  readonly list: List;
}
const knownLists = new WeakMap<ObjectStore, KnownList>();

/** The list, and the ETag of the document of older versions (null without one), with one request if nothing has changed. */
async function look(store: ObjectStore): Promise<{ list: List; oldEtag: string | null }> {
  const etags = new Map<string, string>();
  for await (const { key, etag } of store.list(PREFIX)) {
    // In the order of the keys, these are the first two.
    if (key !== OLD_KEY && key !== KEY) break;
    etags.set(key, etag);
  }
  const oldEtag = etags.get(OLD_KEY) ?? null;
  const etag = etags.get(KEY);
  if (etag === undefined) return { list: EMPTY, oldEtag };
  const known = knownLists.get(store);
  if (known?.etag === etag) return { list: known.list, oldEtag };
  const stored = await readDocument(store, KEY, schema);
  if (stored) knownLists.set(store, { etag: stored.etag, list: stored.value });
  return { list: stored?.value ?? EMPTY, oldEtag };
}

export interface QuarantineChange {
  /** Records that cannot be read. */
  readonly unreadable: QuarantinedRecords;
  /** Those of the MLflow runs that can be read now: they leave the quarantine. */
  readonly readable: (runIds: readonly string[]) => Promise<ReadonlySet<string>>;
  /** Called with the days whose quarantine changes, before the first put. */
  readonly beforePut: (days: readonly string[]) => Promise<void>;
}

/**
 * Changes what is in quarantine. Takes over what an older version has changed in its document.
 * @returns the days whose quarantine has changed: they are to be published
 */
export async function changeQuarantine(
  store: ObjectStore,
  change: QuarantineChange,
): Promise<ReadonlySet<string>> {
  const { list, oldEtag } = await look(store);
  const isKnown = Object.keys(change.unreadable).every((digest) => list.records[digest]);
  const days = new Set<string>();
  if (isKnown && oldEtag === list.old_etag && (await leaving(list.records, change)).length === 0) return days;
  await updateDocument(store, KEY, schema, async (current) => {
    days.clear();
    const records: List['records'] = { ...current?.records };
    const old = await readDocument(store, OLD_KEY, oldSchema);
    const isOldNew = (old?.etag ?? null) !== (current?.old_etag ?? null);
    const taken = isOldNew ? takeOver(records, old?.value.records, days) : {};
    const left = await leaving({ ...records, ...entriesOf(taken) }, change);
    const added = await newRecords(store, records, taken, change.unreadable);
    for (const day of [...byDay(taken).keys(), ...byDay(added).keys()]) days.add(day);
    for (const digest of left) days.add(records[digest]?.day ?? '');
    days.delete('');
    if (days.size > 0) await change.beforePut([...days]);
    // The records first, so that everything in the list can be published.
    for (const [day, ofDay] of byDay(taken)) {
      await addRecords(store, day, ofDay, false);
      for (const [digest, entry] of Object.entries(entriesOf(ofDay)))
        records[digest] = { ...entry, in_old: true };
    }
    for (const [day, ofDay] of byDay(added)) {
      const { records: kept } = await addRecords(store, day, ofDay, true);
      for (const [digest, entry] of Object.entries(entriesOf(ofDay)))
        if (kept[digest]) records[digest] = entry;
    }
    await removeFromOld(store, left, old?.value.records);
    for (const digest of left) delete records[digest];
    if (!current && Object.keys(records).length === 0 && !old) return undefined;
    return { version: 1 as const, records, old_etag: old?.etag ?? null };
  });
  return days;
}

const entriesOf = (records: QuarantinedRecords): List['records'] =>
  Object.fromEntries(
    Object.entries(records).map(([digest, { run_id, observed }]) => [
      digest,
      { run_id, day: dayOf(observed) },
    ]),
  );

/** The digests of the records whose runs can be read now. */
async function leaving(records: QuarantineList, { readable }: QuarantineChange): Promise<string[]> {
  const runIds = new Set(Object.values(records).flatMap(({ run_id }) => run_id ?? []));
  const gone = runIds.size > 0 ? await readable([...runIds]) : new Set<string>();
  return Object.keys(records).filter((digest) => gone.has(records[digest]?.run_id ?? ''));
}

/**
 * Removes what an older version has removed from its document, and marks what both have.
 * @param days gets the days of what was removed
 * @returns the records that only the older version has
 */
function takeOver(
  records: List['records'],
  old: QuarantinedRecords | undefined,
  days: Set<string>,
): QuarantinedRecords {
  const taken: Record<string, QuarantinedRecord> = {};
  for (const [digest, { in_old, ...entry }] of Object.entries(records)) {
    records[digest] = old?.[digest] ? { ...entry, in_old: true } : entry;
    // A person may delete the document: that removes nothing from quarantine.
    if (!in_old || !old || old[digest]) continue;
    delete records[digest];
    days.add(entry.day);
  }
  for (const [digest, record] of Object.entries(old ?? {})) if (!records[digest]) taken[digest] = record;
  return taken;
}

/** The unreadable records that are neither in quarantine nor counted as beyond the limit of their day. */
async function newRecords(
  store: ObjectStore,
  records: QuarantineList,
  taken: QuarantinedRecords,
  unreadable: QuarantinedRecords,
): Promise<QuarantinedRecords> {
  const unknown = Object.entries(unreadable).filter(([digest]) => !records[digest] && !taken[digest]);
  let added: QuarantinedRecords = {};
  for (const [day, ofDay] of byDay(Object.fromEntries(unknown))) {
    added = { ...added, ...newTo(await readRecordsOf(store, day), ofDay) };
  }
  return added;
}

/** Before the list: an older version must not bring back what this one has removed. */
async function removeFromOld(
  store: ObjectStore,
  digests: readonly string[],
  known: QuarantinedRecords | undefined,
): Promise<void> {
  if (!digests.some((digest) => known?.[digest])) return;
  await updateDocument(store, OLD_KEY, oldSchema, (current) => {
    if (!current) return undefined;
    const records = { ...current.records };
    for (const digest of digests) delete records[digest];
    return { version: 1 as const, records };
  });
}

export interface QuarantineOfDay {
  /** Those in quarantine. */
  readonly records: QuarantinedRecords;
  /** How many more there were; the record of none of them is kept. */
  readonly omitted: number;
}

/** What is in quarantine and was first observed on a day; `undefined` if nothing is known about the day any more. */
export async function readQuarantineOf(
  store: ObjectStore,
  day: string,
): Promise<QuarantineOfDay | undefined> {
  const { list } = await look(store);
  const stored = await readRecordsOf(store, day);
  if (!stored) return undefined;
  const records = Object.entries(stored.records).filter(([digest]) => list.records[digest]);
  return { records: Object.fromEntries(records), omitted: stored.omitted.length };
}

/** Forgets records that were first observed more than `QUARANTINE_RETENTION_DAYS` ago. The dataset keeps them. @param now ms */
export async function clearQuarantine(store: ObjectStore, now: number): Promise<void> {
  const first = addDays(dayOf(now), -QUARANTINE_RETENTION_DAYS);
  // The records first: without them, a day is not published any more.
  await deleteRecordsBefore(store, first);
  await updateDocument(store, KEY, schema, (current) => {
    if (!current) return undefined;
    const records = Object.entries(current.records).filter(([, { day }]) => day >= first);
    return { ...current, records: Object.fromEntries(records) };
  });
}
