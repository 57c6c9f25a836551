import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { HttpService } from '@nestjs/axios';
import { inSlices } from '../config/event-loop.js';
import { canonicalJson } from '../domain/canonical-json.js';
import { firstLine, MonitorError } from '../domain/errors.js';
import type { Steps } from '../domain/steps.js';
import type { CatalogQuery } from '../state/rulebook.js';
import { adviseCatalogFile } from './catalog-advice.js';
import { CatalogClient, type CatalogClientOptions } from './catalog-client.js';
import { readDataFile } from './data-file.js';
import {
  type CatalogList,
  type CatalogSource,
  EMPTY_CATALOG,
  type ParsedCatalog,
  parseCatalogSteps,
  pickList,
} from './parse-catalog.js';

export interface CatalogSourceOptions extends Omit<CatalogClientOptions, 'url' | 'setting'> {
  /** A `file:` or HTTP URL; without one the list is empty. */
  readonly metricsUrl: string | undefined;
  readonly thresholdsUrl: string | undefined;
}

/** Names, and experiments, per request. */
const BATCH_SIZE = 200;

/** The setting that has the address of each list. */
const SETTINGS: Readonly<Record<CatalogList, string>> = {
  metrics: 'METRICS_API_URL',
  thresholds: 'THRESHOLDS_API_URL',
};

/** @param file reads a catalog file; both lists may be in one */
type ReadList = (
  queries: readonly CatalogQuery[],
  file: (url: string, setting: string) => Promise<ParsedCatalog>,
) => Promise<ParsedCatalog>;

/** Opens the catalog of the settings. Each of its two lists comes from a file or an API, or is empty. */
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
    read: async (queries) => {
      const files = new Map<string, Promise<ParsedCatalog>>();
      const file = (url: string, setting: string) => {
        const reading = files.get(url) ?? readCatalogFile(url, setting);
        files.set(url, reading);
        return reading;
      };
      return (await Promise.all(lists.map((read) => read(queries, file)))).reduce(concatenate);
    },
  };
}

const concatenate = (a: ParsedCatalog, b: ParsedCatalog): ParsedCatalog => ({
  metadata: [...a.metadata, ...b.metadata],
  thresholds: [...a.thresholds, ...b.thresholds],
  rejectedRows: [...a.rejectedRows, ...b.rejectedRows],
});

/** @param bodiesOf the bodies of the requests for a query */
function openList(
  http: HttpService,
  options: CatalogSourceOptions,
  url: string | undefined,
  list: CatalogList,
  bodiesOf: (query: CatalogQuery) => readonly unknown[],
): ReadList {
  if (url === undefined) return async () => EMPTY_CATALOG;
  if (!isHttp(url)) return async (_, file) => pickList(await file(url, SETTINGS[list]), list);
  const client = new CatalogClient(http, { ...options, url: batchUrl(url, list), setting: SETTINGS[list] });
  return async (queries) => {
    const responses: ParsedCatalog[] = [];
    for (const body of queries.filter(({ metrics }) => metrics.length > 0).flatMap(bodiesOf)) {
      const read = async (document: unknown) =>
        pickList(await inSlices(parseCatalogSteps(document, list)), list);
      responses.push(await client.post(body, read));
    }
    // The response to each batch of experiments holds the platform-wide rows.
    return {
      metadata: await inSlices(distinct(responses.map(({ metadata }) => metadata))),
      thresholds: await inSlices(distinct(responses.map(({ thresholds }) => thresholds))),
      rejectedRows: responses.flatMap(({ rejectedRows }) => rejectedRows),
    };
  };
}

function* distinct<Row>(lists: readonly (readonly Row[])[]): Steps<Row[]> {
  const rows = new Map<string, Row>();
  for (const list of lists) {
    for (const row of list) {
      yield;
      rows.set(canonicalJson(row), row);
    }
  }
  return [...rows.values()];
}

const isHttp = (url: string | undefined): url is string => url !== undefined && /^https?:/i.test(url);

/** The URL to post to: `…/metrics/batch`, whether or not the base URL ends in `/metrics`. */
export function batchUrl(baseUrl: string, list: CatalogList): string {
  const url = new URL(baseUrl);
  const path = url.pathname.replace(/\/+$/, '');
  url.pathname = path.endsWith(`/${list}`) ? `${path}/batch` : `${path}/${list}/batch`;
  return url.href;
}

/** @returns at least one batch, which may be empty */
function batchesOf(names: readonly string[]): string[][] {
  const batches: string[][] = [];
  for (let at = 0; at === 0 || at < names.length; at += BATCH_SIZE)
    batches.push(names.slice(at, at + BATCH_SIZE));
  return batches;
}

/** The path of a `file:` URL; without `//` it is relative to the working directory. */
export function pathOfFileUrl(url: string): string {
  return url.startsWith('file://') ? fileURLToPath(url) : resolve(url.slice('file:'.length));
}

/** Reads a JSON or YAML file, which may hold both lists. @param setting has its address */
async function readCatalogFile(url: string, setting: string): Promise<ParsedCatalog> {
  const file = pathOfFileUrl(url);
  try {
    return await inSlices(parseCatalogSteps(await readDataFile(file)));
  } catch (error) {
    const message = `The catalog ${file} cannot be read: ${firstLine(error)}`;
    throw new MonitorError('catalog_unreadable', message, { file }, true, {
      cause: error,
      advice: adviseCatalogFile(error, setting, file),
    });
  }
}
