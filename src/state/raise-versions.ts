import { updateDocument } from '../storage/json-document.js';
import type { ObjectStore } from '../storage/object-store.js';
import type { Processes } from './processes.js';
import { RULEBOOK_KEY, type Rulebook, readRulebook, rulebookSchema } from './rulebook.js';
import { newestVersions, settingsVersion, supports, type Versions, versionsInForce } from './versions.js';

/**
 * The rulebook with at least these versions, for all days.
 * @param since ms
 * @returns the same object if it has them
 */
export function withVersions(book: Rulebook, versions: Versions, since: number): Rulebook {
  const inForce = versionsInForce(book);
  if (supports(inForce, versions)) return book;
  const { rules, schema } = newestVersions(inForce, versions);
  const rules_version = settingsVersion({ rules, schema });
  return {
    ...book,
    settings: book.settings.map(({ first_day, settings }) => ({
      first_day,
      settings: { ...settings, rules_version },
    })),
    versions: { rules, schema, since, rewritten: false },
  };
}

/** A new rulebook with these versions: no day has lower ones. */
export function beginWith(book: Rulebook, versions: Versions, since: number): Rulebook {
  const raised = withVersions(book, versions, since);
  return raised.versions ? { ...raised, versions: { ...raised.versions, rewritten: true } } : raised;
}

/**
 * Raises the versions in force to the newest that every present process supports.
 * @param now ms
 * @returns the new versions in force; `undefined` if they stay
 */
export async function raiseVersions(
  store: ObjectStore,
  processes: Pick<Processes, 'supported' | 'common'>,
  now: number,
): Promise<Versions | undefined> {
  const stored = await readRulebook(store);
  if (!stored || supports(versionsInForce(stored), processes.supported)) return undefined;
  if (!supports(processes.supported, versionsInForce(stored))) return undefined;
  const common = await processes.common();
  let raised: Versions | undefined;
  await updateDocument(store, RULEBOOK_KEY, rulebookSchema, (book) => {
    const next = book && withVersions(book, common, now);
    raised = next === book ? undefined : versionsInForce(next);
    return next;
  });
  return raised;
}

/** Records that all stored days have these versions, unless they were raised meanwhile. */
export async function markRewritten(store: ObjectStore, { rules, schema }: Versions): Promise<void> {
  await updateDocument(store, RULEBOOK_KEY, rulebookSchema, (book) =>
    book?.versions?.rules === rules && book.versions.schema === schema
      ? { ...book, versions: { ...book.versions, rewritten: true } }
      : undefined,
  );
}
