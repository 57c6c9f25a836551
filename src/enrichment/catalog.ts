import { z } from 'zod';
import { type CatalogAnswer, type Question, thresholdRowSchema } from '../pipeline/rulebook.js';

/** The two lists of a catalog, by the names of their keys. */
export const CATALOG_LISTS = ['metrics', 'thresholds'] as const;
export type CatalogList = (typeof CATALOG_LISTS)[number];

/** An item that the catalog sent and that cannot be used; the others of the answer serve. */
export interface RefusedItem {
  readonly list: CatalogList;
  readonly index: number;
  /** null where it cannot be read which row this would have been. */
  readonly metric_name: string | null;
  readonly experiment_id: string | null;
  readonly problem: string;
}

export interface ParsedCatalog extends CatalogAnswer {
  readonly refused: readonly RefusedItem[];
}

/** Where metadata and thresholds come from. */
export interface CatalogSource {
  /** Which lists must be asked for names; the others are always answered whole. */
  readonly asks: Readonly<Record<CatalogList, boolean>>;
  /** @throws {MonitorError} what keeps it from answering everything: a part of an answer is none */
  read(questions: readonly Question[]): Promise<ParsedCatalog>;
}

export interface ParsedList<Row> {
  readonly rows: Row[];
  readonly refused: RefusedItem[];
}

const namesSchema = thresholdRowSchema.pick({ metric_name: true, experiment_id: true });

/**
 * Reads one list of a document `{metrics: […], thresholds: […]}`, also inside `{response: …}`, item by item: a bad one is
 * refused, the good ones serve.
 * @param demanded whether a document without this list is none
 * @throws {z.ZodError} it is no such document
 */
export function parseList<Row>(
  document: unknown,
  list: CatalogList,
  schema: z.ZodType<Row>,
  demanded: boolean,
): ParsedList<Row> {
  const items = z.array(z.unknown());
  const answer = z.object({ [list]: demanded ? items : items.nullish() });
  const wrapped = z.object({ response: z.record(z.string(), z.unknown()) }).safeParse(document);
  const rows: Row[] = [];
  const refused: RefusedItem[] = [];
  for (const [index, item] of (answer.parse(wrapped.data?.response ?? document)[list] ?? []).entries()) {
    const parsed = schema.safeParse(item);
    if (parsed.success) {
      rows.push(parsed.data);
      continue;
    }
    const names = namesSchema.safeParse(item).data ?? { metric_name: null, experiment_id: null };
    refused.push({ list, index, ...names, problem: problemOf(parsed.error) });
  }
  return { rows, refused };
}

/** What is wrong with a document, in one line. */
export function problemOf(error: unknown): string {
  const [issue] = error instanceof z.ZodError ? error.issues : [];
  if (issue) return `${issue.path.join('.') || 'the document'}: ${issue.message}`;
  const message = error instanceof Error ? error.message || error.name : String(error);
  return (message.split('\n')[0] ?? '').slice(0, 200);
}
