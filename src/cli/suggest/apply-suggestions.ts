import { readFile, rename, writeFile } from 'node:fs/promises';
import { catalogOptions, type Settings } from '../../config/settings.js';
import { firstLine, MonitorError } from '../../domain/errors.js';
import type { Option } from '../../domain/suggest/suggestion.js';
import { pathOfFileUrl } from '../../enrichment/catalog-source.js';
import { type CatalogAdditions, insertRows } from './insert-rows.js';
import type { SuggestedMetric, Suggestions } from './suggestions-file.js';

/**
 * Adds the suggested rows of metrics without limits to the catalog file of the settings. Metrics whose direction is unknown
 * need a decision and are left out.
 * @returns the diff, for people
 * @throws {MonitorError} `no_catalog_file`, `catalog_unreadable`
 */
export async function applySuggestions(settings: Settings, { metrics }: Suggestions): Promise<string> {
  const { metricsUrl, thresholdsUrl } = catalogOptions(settings);
  if (!thresholdsUrl?.startsWith('file:') || (metricsUrl !== undefined && metricsUrl !== thresholdsUrl)) {
    const message =
      '--apply needs a catalog in one file: set THRESHOLDS_API_URL, and METRICS_API_URL if it is set, to the same file:…';
    throw new MonitorError('no_catalog_file', message);
  }
  const additions = additionsFor(metrics, metricsUrl !== undefined);
  const file = pathOfFileUrl(thresholdsUrl);
  if (additions.thresholds.length === 0) return `${file}: nothing to add.`;
  const { text, diff } = insertRows(await readText(file), additions, file);
  // A service may read the file at any time.
  await writeFile(`${file}.new`, text);
  await rename(`${file}.new`, file);
  const count = additions.thresholds.length;
  return `${diff}\n\n${file}: ${count} ${count === 1 ? 'row' : 'rows'} added.`;
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const message = `The catalog ${file} cannot be read: ${firstLine(error)}`;
    throw new MonitorError('catalog_unreadable', message, { file }, false, { cause: error });
  }
}

/** @param hasMetrics whether the file is also the catalog of metadata, which can hold directions */
function additionsFor(all: readonly SuggestedMetric[], hasMetrics: boolean): CatalogAdditions {
  const metrics: object[] = [];
  const thresholds: object[] = [];
  for (const { history, direction, options, rule, applications } of all) {
    const { metric_name } = history;
    const [option] = options;
    const isLimited = rule.critical_threshold !== null || rule.warning_threshold !== null;
    if (!option || direction === null || isLimited) continue;
    // Without metadata, the order of two limits is the direction; one limit has none.
    if (direction === 'name' && !hasMetrics && option.limits.critical === null) continue;
    if (direction === 'name' && hasMetrics) {
      metrics.push({ metric_name, higher_is_better: option.higher_is_better });
    }
    thresholds.push({ metric_name, ...limitsOf(option) });
    for (const { experiments, options: own } of applications) {
      const [ownOption] = own;
      if (!ownOption) continue;
      for (const experiment_id of experiments) {
        thresholds.push({ metric_name, experiment_id, ...limitsOf(ownOption) });
      }
    }
  }
  return { metrics, thresholds };
}

const limitsOf = ({ limits: { critical, warning } }: Option): object => ({
  ...(critical === null ? {} : { critical_threshold: critical }),
  warning_threshold: warning,
});
