import { z } from 'zod';

/** The experiments of a base object and the names of their metrics, both sorted. */
export type DayPairs = readonly (readonly [experiment_id: string, metric_names: readonly string[]])[];

/** What is known about the content of an object: `inputs` of a derived object, `base` of a base object. */
export interface ObjectFacts {
  /** Digest of the inputs that the object was made from. */
  readonly inputs?: string;
  readonly base?: { readonly content: string; readonly pairs: DayPairs };
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
  /** By key of a derived object. */
  derived: z.record(z.string(), z.object({ etag: z.string(), inputs: z.string() })),
  /** By key of a base object. `pairs`: experiments, each with the index of the list of its metrics. */
  bases: z.record(
    z.string(),
    z.object({
      etag: z.string(),
      content: z.string(),
      pairs: z.array(z.tuple([z.string(), z.int().nonnegative()])),
    }),
  ),
});
export type IndexDocument = z.infer<typeof indexSchema>;

/** Characters of experiments and names in one document, so that it is quickly read and written. */
const MAX_CHARACTERS = 1_000_000;

/** By key, what a document knows. A document of another store knows nothing. */
export function decodeIndex(document: IndexDocument | undefined, scope: string): Map<string, IndexedFacts> {
  const objects = new Map<string, IndexedFacts>();
  if (document?.etag_scope !== scope) return objects;
  for (const [key, { etag, inputs }] of Object.entries(document.derived)) {
    objects.set(key, { etag, facts: { inputs } });
  }
  for (const [key, { etag, content, pairs }] of Object.entries(document.bases)) {
    const named = pairs.flatMap(([id, list]) => {
      const names = document.names[list];
      return names ? [[id, names] as const] : [];
    });
    if (named.length === pairs.length) objects.set(key, { etag, facts: { base: { content, pairs: named } } });
  }
  return objects;
}

/** Bases that do not fit are left out: they are read when they are needed. */
export function encodeIndex(objects: ReadonlyMap<string, IndexedFacts>, scope: string): IndexDocument {
  const document: IndexDocument = { version: 1, etag_scope: scope, names: [], derived: {}, bases: {} };
  const lists = new Map<string, number>();
  let characters = 0;
  // The newest days are needed most often.
  for (const [key, { etag, facts }] of [...objects].sort(([a], [b]) => (a < b ? 1 : -1))) {
    if (facts.inputs !== undefined) document.derived[key] = { etag, inputs: facts.inputs };
    if (!facts.base) continue;
    const texts = facts.base.pairs.map(([id, names]) => [id, JSON.stringify(names), names] as const);
    const unknown = new Set(texts.map(([, text]) => text).filter((text) => !lists.has(text)));
    const size = [...unknown, ...texts.map(([id]) => id)].reduce((sum, text) => sum + text.length, 0);
    if (characters + size > MAX_CHARACTERS) continue;
    characters += size;
    const pairs = texts.map(([id, text, names]): [string, number] => {
      let list = lists.get(text);
      if (list === undefined) {
        list = document.names.push([...names]) - 1;
        lists.set(text, list);
      }
      return [id, list];
    });
    document.bases[key] = { etag, content: facts.base.content, pairs };
  }
  return document;
}
