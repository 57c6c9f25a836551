import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { HttpService } from '@nestjs/axios';
import { parse } from 'yaml';
import type { z } from 'zod';
import { MonitorError } from '../domain/errors.js';
import { metricMetadataSchema, type Question, thresholdRowSchema } from '../pipeline/rulebook.js';
import { canonicalJson } from '../storage/json-document.js';
import {
  type CatalogList,
  type CatalogSource,
  type ParsedList,
  parseList,
  problemOf,
  type RefusedItem,
} from './catalog.js';
import { CatalogClient, type CatalogClientOptions } from './catalog-client.js';

export interface CatalogSourceOptions extends Omit<CatalogClientOptions, 'url'> {
  /** `file:` and a path, or an address; undefined: the list is empty. */
  readonly metricsUrl: string | undefined;
  readonly thresholdsUrl: string | undefined;
}

/** Names, and experiments, in one question. */
const BATCH = 200;

/** Opens the catalog that the settings name: each of the two lists from a file, from an API, or from nowhere. */
export function openCatalog(http: HttpService, options: CatalogSourceOptions): CatalogSource {
  const { metricsUrl, thresholdsUrl } = options;
  const metrics = openList(http, options, metricsUrl, 'metrics', metricMetadataSchema, (question) =>
    batchesOf(question.metrics).map((metric_names) => ({ metric_names })),
  );
  const thresholds = openList(http, options, thresholdsUrl, 'thresholds', thresholdRowSchema, (question) =>
    batchesOf(question.metrics).flatMap((names) =>
      batchesOf(question.experiments).map((experiments) => ({ metrics: names, experiments })),
    ),
  );
  return {
    asks: { metrics: isHttp(metricsUrl), thresholds: isHttp(thresholdsUrl) },
    async read(questions) {
      const [described, limited] = await Promise.all([metrics(questions), thresholds(questions)]);
      return {
        metadata: described.rows,
        thresholds: limited.rows,
        refused: [...described.refused, ...limited.refused],
      };
    },
  };
}

/** @param bodiesOf what is posted to an API to have a question answered */
function openList<Row>(
  http: HttpService,
  options: CatalogSourceOptions,
  url: string | undefined,
  list: CatalogList,
  schema: z.ZodType<Row>,
  bodiesOf: (question: Question) => readonly unknown[],
): (questions: readonly Question[]) => Promise<ParsedList<Row>> {
  if (url === undefined) return async () => ({ rows: [], refused: [] });
  if (!isHttp(url)) return () => readListFile(url, list, schema);
  const client = new CatalogClient(http, { ...options, url: batchUrl(url, list) });
  return async (questions) => {
    // A row of the platform is in the answer for each batch of experiments.
    const rows = new Map<string, Row>();
    const refused: RefusedItem[] = [];
    for (const body of questions.flatMap(bodiesOf)) {
      const answer = await client.ask(body, (document) => parseList(document, list, schema, true));
      for (const row of answer.rows) rows.set(canonicalJson(row), row);
      refused.push(...answer.refused);
    }
    return { rows: [...rows.values()], refused };
  };
}

const isHttp = (url: string | undefined): url is string => url !== undefined && /^https?:/i.test(url);

/** Where the bodies of an API are posted to: `…/metrics/batch`, whether the address ends in `/metrics` or not. */
export function batchUrl(address: string, list: CatalogList): string {
  const url = new URL(address);
  const path = url.pathname.replace(/\/+$/, '');
  url.pathname = path.endsWith(`/${list}`) ? `${path}/batch` : `${path}/${list}/batch`;
  return url.href;
}

/** At least one, which may be empty. */
function batchesOf(names: readonly string[]): string[][] {
  const batches: string[][] = [];
  for (let at = 0; at === 0 || at < names.length; at += BATCH) batches.push(names.slice(at, at + BATCH));
  return batches;
}

/** The path of a `file:` URL; one without `//` is relative to the working folder. */
export function pathOfFileUrl(url: string): string {
  return url.startsWith('file://') ? fileURLToPath(url) : resolve(url.slice('file:'.length));
}

/** JSON or YAML; one file may hold both lists. */
async function readListFile<Row>(
  url: string,
  list: CatalogList,
  schema: z.ZodType<Row>,
): Promise<ParsedList<Row>> {
  const file = pathOfFileUrl(url);
  try {
    return parseList(parse(await readFile(file, 'utf8')), list, schema, false);
  } catch (error) {
    const message = `The catalog ${file} cannot be read: ${problemOf(error)}`;
    throw new MonitorError('catalog_unreadable', message, { file }, true, { cause: error });
  }
}
