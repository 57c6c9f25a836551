import { HttpService } from '@nestjs/axios';
import axios from 'axios';
import { catalogOptions, type Settings } from '../config/settings.js';
import { MonitorError } from '../domain/errors.js';
import { isPattern } from '../domain/pattern.js';
import { createRuleResolver } from '../domain/rule.js';
import { type CatalogSourceOptions, openCatalog } from '../enrichment/catalog-source.js';
import type { Experiment } from '../ingestion/mlflow-api.js';
import type { CatalogQuery } from '../state/rulebook.js';
import { catalogFindings, type Finding, IMPATIENT, messageOf, refusedFindings } from './findings.js';

const APIS = [
  { what: 'Metrics API', url: 'metricsUrl', setting: 'METRICS_API_URL' },
  { what: 'Thresholds API', url: 'thresholdsUrl', setting: 'THRESHOLDS_API_URL' },
] as const;

/** Asks each API alone, so that it is told which of them fails, and reads what is in files. */
export async function findCatalog(
  settings: Settings,
  experiments: readonly Experiment[] = [],
): Promise<Finding[]> {
  const set = catalogOptions(settings);
  const timeoutMs = Math.min(set.timeoutMs, IMPATIENT.timeoutMs);
  const options: CatalogSourceOptions = { ...set, maxRetries: IMPATIENT.maxRetries, timeoutMs };
  // An API must be asked for something; whether it knows the names does not matter.
  const question = { metrics: ['accuracy'], experiments: [experiments[0]?.experiment_id ?? '0'] };
  const isApi = (url: string | undefined) => url?.startsWith('http') === true;
  const asked = APIS.filter(({ url }) => isApi(options[url]));
  const findings = await Promise.all(asked.map((api) => findApi(api, options, question)));
  if (asked.length === APIS.length) return findings.flat();
  const file = (url: string | undefined) => (isApi(url) ? undefined : url);
  const { metricsUrl, thresholdsUrl } = options;
  const files = { ...options, metricsUrl: file(metricsUrl), thresholdsUrl: file(thresholdsUrl) };
  const theirs = { metrics: isApi(metricsUrl), thresholds: isApi(thresholdsUrl) };
  return [...findings.flat(), ...(await findFiles(files, theirs))];
}

async function findApi(
  { what, url, setting }: (typeof APIS)[number],
  options: CatalogSourceOptions,
  question: CatalogQuery,
): Promise<Finding[]> {
  const alone = { ...options, metricsUrl: undefined, thresholdsUrl: undefined, [url]: options[url] };
  try {
    const { rejectedRows: refused } = await openCatalog(new HttpService(axios.create()), alone).read([
      question,
    ]);
    return [{ state: 'ok', what, found: `${options[url]} answers` }, ...refusedFindings(what, refused)];
  } catch (error) {
    const status = error instanceof MonitorError ? error.context.status : undefined;
    const todo =
      status === 401 || status === 403 ? 'Correct API_KEY.' : `Correct ${setting}, or start the API.`;
    return [{ state: 'change', what, found: messageOf(error), todo }];
  }
}

/** @param theirs the lists that an API has */
async function findFiles(
  options: CatalogSourceOptions,
  theirs: { readonly metrics: boolean; readonly thresholds: boolean },
): Promise<Finding[]> {
  try {
    const {
      metadata,
      thresholds,
      rejectedRows: refused,
    } = await openCatalog(new HttpService(axios.create()), options).read([]);
    const ruleOf = createRuleResolver(metadata, thresholds);
    // What a pattern judges may have a direction of its own, and what an API describes as well.
    const undirected = thresholds
      .filter(({ metric_name }) => !theirs.metrics && !isPattern(metric_name))
      .filter((row) => row.critical_threshold !== null || row.warning_threshold !== null)
      .filter((row) => ruleOf(row.metric_name, row.experiment_id ?? '').higher_is_better === null)
      .map(({ metric_name }) => metric_name);
    return catalogFindings({
      metrics: theirs.metrics ? null : metadata.length,
      thresholds: theirs.thresholds ? null : thresholds.length,
      refused,
      undirected: [...new Set(undirected)],
    });
  } catch (error) {
    const todo = 'Correct the file, or METRICS_API_URL and THRESHOLDS_API_URL.';
    return [{ state: 'change', what: 'Catalog', found: messageOf(error), todo }];
  }
}
