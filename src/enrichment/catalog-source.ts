import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { HttpService } from '@nestjs/axios';
import { parse } from 'yaml';
import { canonicalJson } from '../domain/canonical-json.js';
import { firstLine, MonitorError } from '../domain/errors.js';
import type { CatalogQuery } from '../state/rulebook.js';
import { CatalogClient, type CatalogClientOptions } from './catalog-client.js';
import {
  type CatalogList,
  type CatalogSource,
  EMPTY_CATALOG,
  type ParsedCatalog,
  parseCatalog,
  pickList,
} from './parse-catalog.js';

export interface CatalogSourceOptions extends Omit<CatalogClientOptions, 'url'> {
  /** `file:` and a path, or an address; undefined: the list is empty. */
  readonly metricsUrl: string | undefined;
  readonly thresholdsUrl: string | undefined;
}

/** Names, and experiments, in one question. */
const BATCH = 200;

type ReadList = (questions: readonly CatalogQuery[]) => Promise<ParsedCatalog>;

/** Opens the catalog that the settings name: each of the two lists from a file, from an API, or from nowhere. */
export function openCatalog(http: HttpService, options: CatalogSourceOptions): CatalogSource {
  const { metricsUrl, thresholdsUrl } = options;
  const lists = [
    openList(http, options, metricsUrl, 'metrics', ({ metrics }) =>
      batchesOf(metrics).map((metric_names) => ({ metric_names })),
    ),
    openList(http, options, thresholdsUrl, 'thresholds', ({ metrics: names, experiments: ids }) =>
      batchesOf(names).flatMap((metrics) => batchesOf(ids).map((experiments) => ({ metrics, experiments }))),
    ),
  ];
  return {
    queriedLists: { metrics: isHttp(metricsUrl), thresholds: isHttp(thresholdsUrl) },
    read: async (questions) => (await Promise.all(lists.map((read) => read(questions)))).reduce(together),
  };
}

const together = (a: ParsedCatalog, b: ParsedCatalog): ParsedCatalog => ({
  metadata: [...a.metadata, ...b.metadata],
  thresholds: [...a.thresholds, ...b.thresholds],
  rejectedRows: [...a.rejectedRows, ...b.rejectedRows],
});

/** @param bodiesOf what is posted to an API to have a question answered */
function openList(
  http: HttpService,
  options: CatalogSourceOptions,
  url: string | undefined,
  list: CatalogList,
  bodiesOf: (question: CatalogQuery) => readonly unknown[],
): ReadList {
  if (url === undefined) return async () => EMPTY_CATALOG;
  if (!isHttp(url)) return async () => pickList(await readCatalogFile(url), list);
  const client = new CatalogClient(http, { ...options, url: batchUrl(url, list) });
  return async (questions) => {
    let all = EMPTY_CATALOG;
    for (const body of questions.filter(({ metrics }) => metrics.length > 0).flatMap(bodiesOf)) {
      all = together(all, await client.post(body, (answer) => pickList(parseCatalog(answer, list), list)));
    }
    // A row of the platform is in the answer for each batch of experiments.
    return { ...all, metadata: distinct(all.metadata), thresholds: distinct(all.thresholds) };
  };
}

const distinct = <Row>(rows: readonly Row[]): Row[] => [
  ...new Map(rows.map((row) => [canonicalJson(row), row])).values(),
];

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
async function readCatalogFile(url: string): Promise<ParsedCatalog> {
  const file = pathOfFileUrl(url);
  try {
    return parseCatalog(parse(await readFile(file, 'utf8')));
  } catch (error) {
    const message = `The catalog ${file} cannot be read: ${firstLine(error)}`;
    throw new MonitorError('catalog_unreadable', message, { file }, true, { cause: error });
  }
}
