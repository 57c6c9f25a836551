import { z } from 'zod';
import { groupBy } from '../domain/group-by.js';
import { dayOf } from '../domain/time.js';
import { readDocument, updateDocument } from '../storage/json-document.js';
import { listKeys } from '../storage/list-keys.js';
import type { ObjectStore } from '../storage/object-store.js';

/** Records of one day that are kept; docs/storage.md names all three limits. */
export const MAX_RECORDS_PER_DAY = 1_000;
/** Longer records are cut. */
export const MAX_RECORD_CHARACTERS = 16_384;
/** Above this number, the records of one day that are not kept are no longer counted. */
export const MAX_OMITTED_PER_DAY = 10_000;
/** Digits of a digest that tell the omitted records of one day apart. */
const OMITTED_DIGITS = 16;

const PREFIX = '_state/quarantine/records/';
const keyOf = (day: string): string => `${PREFIX}${day}.json`;

export const quarantinedRecordSchema = z.object({
  run_id: z.string().nullable(),
  reason: z.string(),
  pipeline_run_id: z.string(),
  /** ms of the first observation. */
  observed: z.int(),
  record: z.string(),
});
export type QuarantinedRecord = z.infer<typeof quarantinedRecordSchema>;
/** Records by the SHA-256 of their content, hex. */
export type QuarantinedRecords = Readonly<Record<string, QuarantinedRecord>>;

const schema = z.object({
  version: z.literal(1),
  records: z.record(z.string(), quarantinedRecordSchema),
  /** The first digits of the digests of further records. */
  omitted: z.array(z.string()),
});
type DayRecords = Omit<z.infer<typeof schema>, 'version'>;
const NONE: DayRecords = { records: {}, omitted: [] };

/**
 * The records that were observed first on a day, also those that have left the quarantine since: the list says which are in
 * it. `undefined` if there never were any, or if they were deleted.
 */
export async function readRecordsOf(store: ObjectStore, day: string): Promise<DayRecords | undefined> {
  return (await readDocument(store, keyOf(day), schema))?.value;
}

/** Those of the records that `addRecords` would keep, or count, and has not counted yet. */
export function newTo(
  { records, omitted }: DayRecords = NONE,
  added: QuarantinedRecords,
): QuarantinedRecords {
  const counted = new Set(omitted);
  const isFull = Object.keys(records).length >= MAX_RECORDS_PER_DAY && omitted.length >= MAX_OMITTED_PER_DAY;
  return Object.fromEntries(
    Object.entries(added).filter(
      ([digest]) => records[digest] || !(isFull || counted.has(digest.slice(0, OMITTED_DIGITS))),
    ),
  );
}

/**
 * Adds records of a day. Those beyond the limit are only counted.
 * @param isLimited false keeps all of them whole: they come from a document without limits
 * @returns all that are stored now
 */
export async function addRecords(
  store: ObjectStore,
  day: string,
  added: QuarantinedRecords,
  isLimited: boolean,
): Promise<DayRecords> {
  const stored = await updateDocument(store, keyOf(day), schema, (current) => {
    const records = { ...current?.records };
    const omitted = new Set(current?.omitted);
    let count = Object.keys(records).length;
    for (const [digest, record] of Object.entries(added)) {
      if (records[digest]) continue;
      if (!isLimited || count < MAX_RECORDS_PER_DAY) {
        records[digest] = isLimited ? { ...record, record: cut(record.record) } : record;
        count++;
      } else if (omitted.size < MAX_OMITTED_PER_DAY) omitted.add(digest.slice(0, OMITTED_DIGITS));
    }
    return { version: 1 as const, records, omitted: [...omitted] };
  });
  return stored ?? NONE;
}

function cut(record: string): string {
  if (record.length <= MAX_RECORD_CHARACTERS) return record;
  // Half of a character beyond U+FFFF is no text.
  const start = record.slice(0, MAX_RECORD_CHARACTERS).replace(/[\ud800-\udbff]$/, '');
  return `${start}… (cut: ${record.length} characters)`;
}

/** Deletes the records of days before `first`. */
export async function deleteRecordsBefore(store: ObjectStore, first: string): Promise<void> {
  for await (const key of listKeys(store, PREFIX)) {
    // Keys are in the order of days.
    if (key >= keyOf(first)) return;
    await store.delete(key);
  }
}

/** The records by the day of their first observation. */
export function byDay(records: QuarantinedRecords): Map<string, QuarantinedRecords> {
  const days = groupBy(Object.entries(records), ([, { observed }]) => dayOf(observed));
  return new Map([...days].map(([day, entries]) => [day, Object.fromEntries(entries)]));
}
