import { HttpService } from '@nestjs/axios';
import axios from 'axios';
import { catalogOptions, type Settings } from '../config/settings.js';
import { isPattern } from '../domain/pattern.js';
import { createRuleResolver } from '../domain/rule.js';
import { type CatalogSourceOptions, openCatalog } from '../enrichment/catalog-source.js';
import type { Experiment } from '../ingestion/mlflow-api.js';
import type { CatalogQuery } from '../state/rulebook.js';
import {
  catalogFindings,
  type Finding,
  failureFinding,
  PROBE_LIMITS,
  rejectedRowFindings,
} from './findings.js';

const APIS = [
  { what: 'Metrics API', url: 'metricsUrl', setting: 'METRICS_API_URL' },
  { what: 'Thresholds API', url: 'thresholdsUrl', setting: 'THRESHOLDS_API_URL' },
] as const;

/** Probes each API separately, to report which one fails, and reads the files. */
export async function checkCatalog(
  settings: Settings,
  experiments: readonly Experiment[] = [],
): Promise<Finding[]> {
  const configured = catalogOptions(settings);
  const timeoutMs = Math.min(configured.timeoutMs, PROBE_LIMITS.timeoutMs);
  const options: CatalogSourceOptions = { ...configured, maxRetries: PROBE_LIMITS.maxRetries, timeoutMs };
  // A query must not be empty. Whether the API knows the names does not matter.
  const query = { metrics: ['accuracy'], experiments: [experiments[0]?.experiment_id ?? '0'] };
  const isApi = (url: string | undefined) => url?.startsWith('http') === true;
  const apis = APIS.filter(({ url }) => isApi(options[url]));
  const findings = await Promise.all(apis.map((api) => checkApi(api, options, query)));
  if (apis.length === APIS.length) return findings.flat();
  const file = (url: string | undefined) => (isApi(url) ? undefined : url);
  const { metricsUrl, thresholdsUrl } = options;
  const files = { ...options, metricsUrl: file(metricsUrl), thresholdsUrl: file(thresholdsUrl) };
  const fromApi = { metrics: isApi(metricsUrl), thresholds: isApi(thresholdsUrl) };
  return [...findings.flat(), ...(await checkFiles(files, fromApi))];
}

async function checkApi(
  { what, url, setting }: (typeof APIS)[number],
  options: CatalogSourceOptions,
  query: CatalogQuery,
): Promise<Finding[]> {
  const alone = { ...options, metricsUrl: undefined, thresholdsUrl: undefined, [url]: options[url] };
  try {
    const { rejectedRows } = await openCatalog(new HttpService(axios.create()), alone).read([query]);
    const found = `${options[url]} responds`;
    return [{ state: 'ok', what, found }, ...rejectedRowFindings(what, rejectedRows)];
  } catch (error) {
    return [failureFinding(what, error, `Correct ${setting}`)];
  }
}

/** @param fromApi which lists come from an API */
async function checkFiles(
  options: CatalogSourceOptions,
  fromApi: { readonly metrics: boolean; readonly thresholds: boolean },
): Promise<Finding[]> {
  try {
    const catalog = openCatalog(new HttpService(axios.create()), options);
    const { metadata, thresholds, rejectedRows } = await catalog.read([]);
    const ruleOf = createRuleResolver(metadata, thresholds);
    // Metrics that match a pattern, or whose metadata comes from an API, may have a direction that is unknown here.
    const undirected = thresholds
      .filter(({ metric_name }) => !fromApi.metrics && !isPattern(metric_name))
      .filter((row) => row.critical_threshold !== null || row.warning_threshold !== null)
      .filter((row) => ruleOf(row.metric_name, row.experiment_id ?? '').higher_is_better === null)
      .map(({ metric_name }) => metric_name);
    return catalogFindings({
      metrics: fromApi.metrics ? null : metadata.length,
      thresholds: fromApi.thresholds ? null : thresholds.length,
      rejectedRows,
      undirected: [...new Set(undirected)],
    });
  } catch (error) {
    return [failureFinding('Catalog', error, 'Correct METRICS_API_URL and THRESHOLDS_API_URL')];
  }
}
