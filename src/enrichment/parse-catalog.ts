import { z } from 'zod';
import { finish, type Steps } from '../domain/steps.js';
import {
  type CatalogQuery,
  type CatalogRows,
  metricMetadataSchema,
  thresholdRowSchema,
} from '../state/rulebook.js';

/** Injection token of the `CatalogSource`. */
export const CATALOG_SOURCE = Symbol('CATALOG_SOURCE');

/** The two lists of a catalog, by their JSON keys. */
export type CatalogList = 'metrics' | 'thresholds';

/** An invalid item of a catalog response; the valid items of the response are used. */
export interface RejectedRow {
  readonly list: CatalogList;
  readonly index: number;
  /** null if the item does not identify its row. */
  readonly metric_name: string | null;
  readonly experiment_id: string | null;
  readonly problem: string;
}

export interface ParsedCatalog extends CatalogRows {
  readonly rejectedRows: readonly RejectedRow[];
}

export const EMPTY_CATALOG: ParsedCatalog = { metadata: [], thresholds: [], rejectedRows: [] };

/** Where metadata and thresholds come from. */
export interface CatalogSource {
  /** Whether a list is queried by name; otherwise every read returns the whole list. */
  readonly queriedLists: Readonly<Record<CatalogList, boolean>>;
  /** @throws {MonitorError} `catalog_…` if a part of the response is missing: there are no partial results */
  read(queries: readonly CatalogQuery[]): Promise<ParsedCatalog>;
}

/** Rows per list of a document. */
export const MAX_ROWS = 200_000;

const items = z.array(z.unknown());
const listSchema = items.nullish();
// A document with neither list is an error response or another file. Read as an empty catalog, it would remove all rules.
const documentSchema = z
  .object({ metrics: listSchema, thresholds: listSchema })
  .refine(({ metrics, thresholds }) => metrics !== undefined || thresholds !== undefined);
const RESPONSE_SCHEMAS = {
  metrics: z.object({ metrics: items, thresholds: listSchema }),
  thresholds: z.object({ metrics: listSchema, thresholds: items }),
};
const wrappedSchema = z.object({ response: z.unknown() });
const namesSchema = thresholdRowSchema.pick({ metric_name: true, experiment_id: true });

/**
 * Parses a document of the APIs' shape, `{metrics: […], thresholds: […]}`, also inside `{response: …}`. Invalid items are
 * rejected one by one; the others are used.
 * @param required the list that the document must have; by default one of the two
 * @throws {TypeError} if the document has another shape or too many rows
 */
export const parseCatalog = (document: unknown, required?: CatalogList): ParsedCatalog =>
  finish(parseCatalogSteps(document, required));

export function* parseCatalogSteps(document: unknown, required?: CatalogList): Steps<ParsedCatalog> {
  const schema = required ? RESPONSE_SCHEMAS[required] : documentSchema;
  const wrapped = wrappedSchema.safeParse(document).data?.response;
  const parsed = schema.safeParse(wrapped ?? document);
  if (!parsed.success) {
    const lists = required ? `\`${required}\`` : '`metrics` or `thresholds`';
    throw new TypeError(`expected an object with a list ${lists}`);
  }
  const rejectedRows: RejectedRow[] = [];
  function* valid<T>(list: CatalogList, schema: z.ZodType<T>): Steps<T[]> {
    const rows: T[] = [];
    const items = parsed.data?.[list] ?? [];
    if (items.length > MAX_ROWS) {
      throw new TypeError(`the list \`${list}\` has ${items.length} rows; at most ${MAX_ROWS} are read`);
    }
    for (const [index, item] of items.entries()) {
      yield;
      const row = schema.safeParse(item);
      if (row.success) {
        rows.push(row.data);
        continue;
      }
      const [issue] = row.error.issues;
      const problem = `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`;
      const names = namesSchema.safeParse(item).data ?? { metric_name: null, experiment_id: null };
      rejectedRows.push({ list, index, ...names, problem });
    }
    return rows;
  }
  return {
    metadata: yield* valid('metrics', metricMetadataSchema),
    thresholds: yield* valid('thresholds', thresholdRowSchema),
    rejectedRows,
  };
}

/** One of the two lists. */
export function pickList(
  { metadata, thresholds, rejectedRows }: ParsedCatalog,
  list: CatalogList,
): ParsedCatalog {
  return {
    metadata: list === 'metrics' ? metadata : [],
    thresholds: list === 'thresholds' ? thresholds : [],
    rejectedRows: rejectedRows.filter((row) => row.list === list),
  };
}
