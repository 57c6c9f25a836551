import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';
import { MonitorError } from '../domain/errors.js';
import { type CatalogAnswer, metricMetadataSchema, thresholdRowSchema } from '../pipeline/rulebook.js';

/** An item that the catalog sent and that cannot be used; the others of the answer serve. */
export interface RefusedItem {
  readonly list: 'metrics' | 'thresholds';
  readonly index: number;
  readonly problem: string;
}

export interface ParsedCatalog extends CatalogAnswer {
  readonly refused: readonly RefusedItem[];
}

const EMPTY: ParsedCatalog = { metadata: [], thresholds: [], refused: [] };

/**
 * Reads the catalog from files of the APIs' shape, JSON or YAML: `{metrics: […], thresholds: […]}`, also inside
 * `{response: …}`. One file may hold both keys and serve both. Without a file there are no rules.
 * @throws {MonitorError} `catalog_unreadable`, retryable: the file is missing or is no such document
 */
export async function readCatalogFiles(
  metricsUrl: string | undefined,
  thresholdsUrl: string | undefined,
): Promise<ParsedCatalog> {
  const urls = [...new Set([metricsUrl, thresholdsUrl].filter((url) => url !== undefined))];
  const answers = await Promise.all(urls.map(readAnswer));
  return answers.reduce(
    (all, answer) => ({
      metadata: [...all.metadata, ...answer.metadata],
      thresholds: [...all.thresholds, ...answer.thresholds],
      refused: [...all.refused, ...answer.refused],
    }),
    EMPTY,
  );
}

/** The path of a `file:` URL; one without `//` is relative to the working folder. */
export function pathOfFileUrl(url: string): string {
  return url.startsWith('file://') ? fileURLToPath(url) : resolve(url.slice('file:'.length));
}

async function readAnswer(url: string): Promise<ParsedCatalog> {
  const file = pathOfFileUrl(url);
  try {
    return parseCatalog(parse(await readFile(file, 'utf8')));
  } catch (error) {
    const problem = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    throw new MonitorError(
      'catalog_unreadable',
      `The catalog ${file} cannot be read: ${problem}`,
      { file },
      true,
      {
        cause: error,
      },
    );
  }
}

const listSchema = z.array(z.unknown()).nullish();
// With neither it is no empty catalog but an error, or another document: it would take all rules away.
const answerSchema = z
  .object({ metrics: listSchema, thresholds: listSchema })
  .refine(({ metrics, thresholds }) => metrics !== undefined || thresholds !== undefined);
const documentSchema = z.union([
  z.object({ response: answerSchema }).transform(({ response }) => response),
  answerSchema,
]);

/**
 * Validates item by item: a bad one is refused, the good ones serve.
 * @throws {TypeError} it is no document of the APIs' shape
 */
export function parseCatalog(document: unknown): ParsedCatalog {
  const answer = documentSchema.safeParse(document);
  if (!answer.success) throw new TypeError('it is no object with a list `metrics` or `thresholds`');
  const { metrics, thresholds } = answer.data;
  const refused: RefusedItem[] = [];
  const valid = <T>(list: RefusedItem['list'], items: readonly unknown[], schema: z.ZodType<T>): T[] =>
    items.flatMap((item, index) => {
      const parsed = schema.safeParse(item);
      if (parsed.success) return [parsed.data];
      const issue = parsed.error.issues[0];
      refused.push({ list, index, problem: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}` });
      return [];
    });
  return {
    metadata: valid('metrics', metrics ?? [], metricMetadataSchema),
    thresholds: valid('thresholds', thresholds ?? [], thresholdRowSchema),
    refused,
  };
}
