import { z } from 'zod';
import type { Clock } from '../config/runtime.js';
import { addDays, dayOf } from '../domain/time.js';
import { readDocument, updateDocument } from '../storage/json-document.js';
import { dayOfKey } from '../storage/keys.js';
import { listKeys } from '../storage/list-keys.js';
import type { ObjectStore } from '../storage/object-store.js';

/** In how many parts each day is stored (`PARTITION_FILES`). Absent: every day has one. */
export const PARTITION_FILES_KEY = '_state/partition-files.json';

const schema = z.object({
  version: z.literal(1),
  /** Sorted by `from`, the first day to which a number applies; null for the first. */
  entries: z
    .array(z.object({ from: z.iso.date().nullable(), files: z.int().positive() }))
    .min(1)
    .refine((entries) => entries.every(({ from }, i) => (from === null) === (i === 0)), {
      message: 'only the first entry has no day',
    }),
});
type Entry = z.infer<typeof schema>['entries'][number];
type Entries = readonly Entry[];

const ONE_PART: Entries = [{ from: null, files: 1 }];

const filesOn = (entries: Entries, day: string): number =>
  entries.findLast(({ from }) => from === null || from <= day)?.files ?? 1;

/**
 * A changed number applies to days that begin at least a day after it is stored: until then, whatever a process read
 * earlier is right for all days up to the one on which it read it.
 */
const LEAD_DAYS = 2;

/**
 * The number of parts of each day of a store. It is fixed before the day is written, so that processes with different
 * settings, or with an old copy of the document, never divide a day differently.
 */
export class PartitionFiles {
  private copy: { readonly entries: Entries; readonly readOn: string } | undefined;

  /** @param clock must not be more than a day wrong */
  constructor(
    private readonly store: ObjectStore,
    private readonly clock: Clock = Date.now,
  ) {}

  /** The number of parts of a day. Reads the document only if no earlier copy is sure to be right. */
  readonly on = async (day: string): Promise<number> =>
    (await this.known(day)) ?? filesOn(await this.read(), day);

  /** As `on`, but `undefined` for a future day whose number may have changed since the document was read. */
  readonly known = async (day: string): Promise<number | undefined> => {
    if (!this.copy) await this.read();
    return this.copy && day <= this.copy.readOn ? filesOn(this.copy.entries, day) : undefined;
  };

  /** In a store that was never used, the number of all days may still change: it is read again. */
  private async read(): Promise<Entries> {
    const readOn = dayOf(this.clock());
    const isUsed = this.copy !== undefined || !(await isUnused(this.store));
    const entries = await readPartitionFiles(this.store);
    if (isUsed) this.copy = { entries, readOn };
    return entries;
  }
}

const instances = new WeakMap<ObjectStore, PartitionFiles>();

/** The number of parts of each day of a store, which everything in this process shares. */
export function partitionFilesOf(store: ObjectStore): PartitionFiles {
  let files = instances.get(store);
  if (!files) {
    files = new PartitionFiles(store);
    instances.set(store, files);
  }
  return files;
}

async function readPartitionFiles(store: ObjectStore): Promise<Entries> {
  return (await readDocument(store, PARTITION_FILES_KEY, schema))?.value.entries ?? ONE_PART;
}

/** To which days a setting applies. */
export interface AppliedFrom {
  /** The first day, at or after which every day has this number; null: all days. */
  readonly from: string | null;
  /** The number of the day before it; the same if `from` is null. */
  readonly before: number;
}

/** A sentence about a setting that does not apply to all days; `undefined` if it does. */
export function describeApplied({ from, before }: AppliedFrom, files: number): string | undefined {
  if (from === null) return undefined;
  const parts = (count: number) => (count === 1 ? '1 file' : `${count} files`);
  return `PARTITION_FILES=${files} applies to the days from ${from} on; the day before it has ${parts(before)} per dataset`;
}

/** To which days the setting `files` would apply if the service started at `now` (ms). */
export async function appliedFrom(store: ObjectStore, files: number, now: number): Promise<AppliedFrom> {
  return describe(await withSetting(store, await readPartitionFiles(store), files, now), files, now);
}

/**
 * Stores the setting of the process that decides. In a store without pipeline runs it applies to all days, otherwise to
 * those after tomorrow that are not stored.
 */
export async function storePartitionFiles(
  store: ObjectStore,
  files: number,
  now: number,
): Promise<AppliedFrom> {
  let entries = ONE_PART;
  await updateDocument(store, PARTITION_FILES_KEY, schema, async (current) => {
    const stored = current?.entries ?? ONE_PART;
    entries = await withSetting(store, stored, files, now);
    return entries === stored ? undefined : { version: 1 as const, entries: [...entries] };
  });
  return describe(entries, files, now);
}

function describe(entries: Entries, files: number, now: number): AppliedFrom {
  const today = dayOf(now);
  const current = entries.findLast(({ from }) => from === null || from <= today);
  const applied = [current, ...entries.filter(({ from }) => from !== null && from > today)].find(
    (entry) => entry?.files === files,
  );
  const before = applied && entries[entries.indexOf(applied) - 1]?.files;
  return { from: applied?.from ?? null, before: before ?? files };
}

/** @returns `stored` itself if it has this number already */
async function withSetting(
  store: ObjectStore,
  stored: Entries,
  files: number,
  now: number,
): Promise<Entries> {
  if (stored.at(-1)?.files === files) return stored;
  const soonest = addDays(dayOf(now), LEAD_DAYS);
  const storedDays = new Set<string>();
  for await (const key of listKeys(store, '_base/')) {
    const day = dayOfKey(key);
    if (day !== undefined) storedDays.add(day);
  }
  if (storedDays.size === 0 && (await isUnused(store))) return [{ from: null, files }];
  // Later entries have not begun: of the days that they apply to, only runs with a start time in the future are stored.
  const entries = stored.filter(({ from }) => from === null || from < soonest);
  const add = (from: string, number: number): void => {
    if (entries.at(-1)?.from === from) entries.pop();
    if (entries.at(-1)?.files !== number) entries.push({ from, files: number });
  };
  add(soonest, files);
  for (const day of [...storedDays].sort().filter((each) => each >= soonest)) {
    add(day, filesOn(stored, day));
    add(addDays(day, 1), files);
  }
  return entries;
}

/** Whether no pipeline run was ever created: no process can be about to write a day. */
async function isUnused(store: ObjectStore): Promise<boolean> {
  for await (const _ of listKeys(store, '_state/kinds/')) return false;
  return true;
}
