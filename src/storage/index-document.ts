import { z } from 'zod';

/** The experiments of a base object and the names of their metrics, both sorted. */
export type DayPairs = readonly (readonly [experiment_id: string, metric_names: readonly string[]])[];

/** The active runs of a base object that have the same experiment and the same value of a tag. */
export interface RunGroup {
  readonly experiment_id: string;
  /** null: the runs have no such tag. */
  readonly value: string | null;
  /** Digest of the facts of these runs. */
  readonly content: string;
  /** Names of their metrics, sorted. */
  readonly names: readonly string[];
}

/** The active runs of a base object by experiment and by the value of the tag `tag`. */
export interface GroupedRuns {
  readonly tag: string;
  readonly groups: readonly RunGroup[];
}

/** What is known about the content of an object. */
export interface ObjectFacts {
  /** Of a derived object: digest of the inputs that it was made from. */
  readonly inputs?: string;
  /** Of an object `_tails`: digest of what the following day goes on from. */
  readonly tail?: string | undefined;
  /** Of the only base object of a day. */
  readonly base?: { readonly content: string; readonly pairs: DayPairs };
  /** Of one of several base objects of a day. */
  readonly grouped?: GroupedRuns;
}

/** Facts, and the ETag for which they are true. */
export interface IndexedFacts {
  readonly etag: string;
  readonly facts: ObjectFacts;
}

/** What is known about the objects of one UTC month: `YYYY-MM`. */
export const indexKey = (month: string): string => `${INDEX_PREFIX}${month}.json`;
export const INDEX_PREFIX = '_state/index/';

export const indexSchema = z.object({
  version: z.literal(1),
  /** The `etagScope` of the store whose ETags these are: in a copy of a bucket, ETags may mean something else. */
  etag_scope: z.string(),
  /** Names of metrics: the lists that `bases` refer to. */
  names: z.array(z.array(z.string())),
  /** By key of a derived object. `tail`: absent of most objects, and in documents that an older version has written. */
  derived: z.record(
    z.string(),
    z.object({ etag: z.string(), inputs: z.string(), tail: z.string().optional() }),
  ),
  /** By key of a base object. `pairs`: experiments, each with the index of the list of its metrics. */
  bases: z.record(
    z.string(),
    z.object({
      etag: z.string(),
      content: z.string(),
      pairs: z.array(z.tuple([z.string(), z.int().nonnegative()])),
    }),
  ),
  /**
   * By key of one of several base objects of a day. `groups`: experiment, value of the tag, digest, index of the list of
   * metrics. Absent in a store whose days have one part, and in documents of older versions.
   */
  grouped: z
    .record(
      z.string(),
      z.object({
        etag: z.string(),
        tag: z.string(),
        groups: z.array(z.tuple([z.string(), z.string().nullable(), z.string(), z.int().nonnegative()])),
      }),
    )
    .optional(),
});
export type IndexDocument = z.infer<typeof indexSchema>;

/** Characters of experiments and names in one document, so that it is quickly read and written. */
const MAX_CHARACTERS = 1_000_000;

/** By key, what a document knows. A document of another store knows nothing. */
export function decodeIndex(document: IndexDocument | undefined, scope: string): Map<string, IndexedFacts> {
  const objects = new Map<string, IndexedFacts>();
  if (document?.etag_scope !== scope) return objects;
  for (const [key, { etag, ...facts }] of Object.entries(document.derived)) objects.set(key, { etag, facts });
  for (const [key, { etag, content, pairs }] of Object.entries(document.bases)) {
    const named = pairs.flatMap(([id, list]) => {
      const names = document.names[list];
      return names ? [[id, names] as const] : [];
    });
    if (named.length === pairs.length) objects.set(key, { etag, facts: { base: { content, pairs: named } } });
  }
  for (const [key, { etag, tag, groups }] of Object.entries(document.grouped ?? {})) {
    const named = groups.flatMap(([experiment_id, value, content, list]) => {
      const names = document.names[list];
      return names ? [{ experiment_id, value, content, names }] : [];
    });
    if (named.length === groups.length)
      objects.set(key, { etag, facts: { grouped: { tag, groups: named } } });
  }
  return objects;
}

/** Bases that do not fit are left out: they are read when they are needed. */
export function encodeIndex(objects: ReadonlyMap<string, IndexedFacts>, scope: string): IndexDocument {
  const document: IndexDocument = { version: 1, etag_scope: scope, names: [], derived: {}, bases: {} };
  const grouped: NonNullable<IndexDocument['grouped']> = {};
  const lists = new Map<string, number>();
  let characters = 0;
  /** Makes room for the facts of a base. @returns the index of each list; `undefined` if they do not fit */
  const indexLists = (
    all: readonly (readonly string[])[],
    others: readonly string[],
  ): number[] | undefined => {
    const texts = all.map((names) => JSON.stringify(names));
    const unknown = new Set(texts.filter((text) => !lists.has(text)));
    const size = [...unknown, ...others].reduce((sum, text) => sum + text.length, 0);
    if (characters + size > MAX_CHARACTERS) return undefined;
    characters += size;
    return texts.map((text, i) => {
      const list = lists.get(text) ?? document.names.push([...(all[i] ?? [])]) - 1;
      lists.set(text, list);
      return list;
    });
  };
  // The newest days are needed most often.
  for (const [key, { etag, facts }] of [...objects].sort(([a], [b]) => (a < b ? 1 : -1))) {
    const { inputs, tail } = facts;
    if (inputs !== undefined)
      document.derived[key] = { etag, inputs, ...(tail === undefined ? {} : { tail }) };
    if (facts.base) {
      const { content, pairs } = facts.base;
      const named = indexLists(
        pairs.map(([, names]) => names),
        pairs.map(([id]) => id),
      );
      if (!named) continue;
      document.bases[key] = { etag, content, pairs: pairs.map(([id], i) => [id, named[i] ?? 0]) };
    }
    if (facts.grouped) {
      const { tag, groups } = facts.grouped;
      const named = indexLists(
        groups.map(({ names }) => names),
        groups.flatMap(textsOf),
      );
      if (!named) continue;
      grouped[key] = {
        etag,
        tag,
        groups: groups.map(({ experiment_id, value, content }, i) => [
          experiment_id,
          value,
          content,
          named[i] ?? 0,
        ]),
      };
    }
  }
  return Object.keys(grouped).length > 0 ? { ...document, grouped } : document;
}

/** The texts of a group but for the names of its metrics. */
export const textsOf = ({ experiment_id, value, content }: RunGroup): string[] => [
  experiment_id,
  value ?? '',
  content,
];
