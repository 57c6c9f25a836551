import { z } from 'zod';
import {
  type CatalogQuery,
  type CatalogRows,
  metricMetadataSchema,
  thresholdRowSchema,
} from '../state/rulebook.js';

/** Injection token of the `CatalogSource`. */
export const CATALOG_SOURCE = Symbol('CATALOG_SOURCE');

/** The two lists of a catalog, by the names of their keys. */
export type CatalogList = 'metrics' | 'thresholds';

/** An item that the catalog sent and that cannot be used; the others of the answer serve. */
export interface RejectedRow {
  readonly list: CatalogList;
  readonly index: number;
  /** null where it cannot be read which row this would have been. */
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
  /** Which lists must be asked for names; the others are always answered whole. */
  readonly queriedLists: Readonly<Record<CatalogList, boolean>>;
  /** @throws {MonitorError} `catalog_…`: what keeps it from answering everything; a part of an answer is none */
  read(questions: readonly CatalogQuery[]): Promise<ParsedCatalog>;
}

const items = z.array(z.unknown());
const listSchema = items.nullish();
// With neither it is no empty catalog but an error, or another document: it would take all rules away.
const documentSchema = z
  .object({ metrics: listSchema, thresholds: listSchema })
  .refine(({ metrics, thresholds }) => metrics !== undefined || thresholds !== undefined);
const ANSWER_SCHEMAS = {
  metrics: z.object({ metrics: items, thresholds: listSchema }),
  thresholds: z.object({ metrics: listSchema, thresholds: items }),
};
const wrappedSchema = z.object({ response: z.unknown() });
const namesSchema = thresholdRowSchema.pick({ metric_name: true, experiment_id: true });

/**
 * Reads a document of the APIs' shape, `{metrics: […], thresholds: […]}`, also inside `{response: …}`, item by item: a bad
 * one is refused, the good ones serve.
 * @param demanded the list without which it is no answer; not given: it holds one of the two
 * @throws {TypeError} it is no document of the APIs' shape
 */
export function parseCatalog(document: unknown, demanded?: CatalogList): ParsedCatalog {
  const schema = demanded ? ANSWER_SCHEMAS[demanded] : documentSchema;
  const wrapped = wrappedSchema.safeParse(document).data?.response;
  const answer = schema.safeParse(wrapped ?? document);
  if (!answer.success) {
    const lists = demanded ? `\`${demanded}\`` : '`metrics` or `thresholds`';
    throw new TypeError(`it is no object with a list ${lists}`);
  }
  const refused: RejectedRow[] = [];
  const valid = <T>(list: CatalogList, schema: z.ZodType<T>): T[] =>
    (answer.data[list] ?? []).flatMap((item, index) => {
      const parsed = schema.safeParse(item);
      if (parsed.success) return [parsed.data];
      const [issue] = parsed.error.issues;
      const problem = `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`;
      const names = namesSchema.safeParse(item).data ?? { metric_name: null, experiment_id: null };
      refused.push({ list, index, ...names, problem });
      return [];
    });
  return {
    metadata: valid('metrics', metricMetadataSchema),
    thresholds: valid('thresholds', thresholdRowSchema),
    rejectedRows: refused,
  };
}

/** One list of what was read. */
export function pickList(
  { metadata, thresholds, rejectedRows: refused }: ParsedCatalog,
  list: CatalogList,
): ParsedCatalog {
  return {
    metadata: list === 'metrics' ? metadata : [],
    thresholds: list === 'thresholds' ? thresholds : [],
    rejectedRows: refused.filter((item) => item.list === list),
  };
}
