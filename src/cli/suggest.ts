import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HttpService } from '@nestjs/axios';
import axios from 'axios';
import { catalogOptions, type Settings } from '../config/settings.js';
import { loadSuggestions } from '../dashboard/suggest/load-suggestions.js';
import { errno, MonitorError } from '../domain/errors.js';
import { groupBy } from '../domain/group-by.js';
import { createRuleResolver } from '../domain/rule.js';
import type { SuggestionMethod } from '../domain/suggest/suggest-limits.js';
import { openCatalog } from '../enrichment/catalog-source.js';
import { type CatalogQuery, EMPTY_QUERY, RULEBOOK_KEY, rulebookSchema } from '../state/rulebook.js';
import { Duck, sql } from '../storage/duck.js';
import { type InspectedStore, openStoreForReading } from '../storage/inspect-store.js';
import { applySuggestions } from './suggest/apply-suggestions.js';
import { loadApplicationSuggestions } from './suggest/load-application-suggestions.js';
import { type Suggestions, suggestionsFile } from './suggest/suggestions-file.js';

export interface SuggestOptions {
  readonly method: SuggestionMethod;
  /** The file to write; `undefined` for standard output. */
  readonly out?: string | undefined;
  /** Adds the rows to the catalog file of the settings instead. */
  readonly apply?: boolean;
}

/**
 * Suggests thresholds from the published history. It only reads the store, so a service may be running on it.
 * @throws {MonitorError} `nothing_stored`, `file_exists`, `no_catalog_file`, `catalog_unreadable`
 */
export async function suggest(settings: Settings, { method, out, apply }: SuggestOptions): Promise<void> {
  // Not `STORAGE_DIR`: a running service owns that.
  const temp = await mkdtemp(join(tmpdir(), 'mlflow-monitor-'));
  try {
    const inspected = await openStoreForReading(settings, temp);
    try {
      const suggestions = await suggestFrom(settings, inspected, temp, method);
      if (apply) {
        console.log(await applySuggestions(settings, suggestions));
        return;
      }
      await write(suggestionsFile(suggestions, out ?? './thresholds.yaml'), out);
      if (out !== undefined) report(suggestions, out);
    } finally {
      await inspected.store.close();
    }
  } finally {
    await rm(temp, { recursive: true, force: true });
  }
}

async function suggestFrom(
  settings: Settings,
  { store, folder }: InspectedStore,
  temp: string,
  method: SuggestionMethod,
): Promise<Suggestions> {
  const files: string[] = [];
  for await (const { key } of store.list('enriched_metrics/')) {
    const object = key.endsWith('.parquet') ? await store.fetch(key) : undefined;
    if (object) files.push(object.file);
  }
  if (files.length === 0) {
    const message = `No history in ${store.description} yet. Run \`mlflow-monitor serve\` or \`mlflow-monitor run historical\` first.`;
    throw new MonitorError('nothing_stored', message, { where: store.description });
  }
  const catalog = openCatalog(new HttpService(axios.create()), catalogOptions(settings));
  const { metadata, thresholds } = await catalog.read([storedQuery((await store.get(RULEBOOK_KEY))?.body)]);
  const ruleOf = createRuleResolver(metadata, thresholds);
  const duck = await Duck.open(folder, {
    memory: settings.DUCKDB_MEMORY_LIMIT,
    threads: settings.DUCKDB_THREADS,
    maxTempSize: settings.DUCKDB_MAX_TEMP_SIZE,
    temp,
  });
  try {
    return await duck.session(async (session) => {
      const [span] = await session.rows<Omit<Suggestions, 'metrics' | 'method'>>(
        sql(import.meta.url, './suggest/sql/span.sql'),
        { files },
      );
      const rule = (metric: string) => ruleOf(metric, '');
      const direction = (metric: string) => rule(metric).higher_is_better;
      const suggested = await loadSuggestions(session, { files }, direction, method);
      const ofApplications = groupBy(
        await loadApplicationSuggestions(session, files, suggested, method),
        ({ history }) => history.metric_name,
      );
      const metrics = suggested.map((each) => ({
        ...each,
        rule: rule(each.history.metric_name),
        applications: ofApplications.get(each.history.metric_name) ?? [],
      }));
      return { ...(span ?? { runs: 0, first_day: '', last_day: '' }), method, metrics };
    });
  } finally {
    duck.close();
  }
}

/** The query that the service sends to catalog APIs: all names it has read. */
function storedQuery(rulebook: Buffer | undefined): CatalogQuery {
  return rulebook ? rulebookSchema.parse(JSON.parse(rulebook.toString('utf8'))).asked : EMPTY_QUERY;
}

async function write(text: string, out: string | undefined): Promise<void> {
  if (out === undefined) {
    process.stdout.write(text);
    return;
  }
  try {
    await writeFile(out, text, { flag: 'wx' });
  } catch (error) {
    if (errno(error) !== 'EEXIST') throw error;
    const message = `${out} already exists. Choose another name, or delete the file first.`;
    throw new MonitorError('file_exists', message, { out });
  }
}

function report({ metrics }: Suggestions, out: string): void {
  const suggested = metrics.filter(({ options }) => options.length > 0);
  const undirected = suggested.filter(({ direction }) => direction === null).length;
  console.log(`${out}: thresholds for ${suggested.length - undirected} of ${metrics.length} metrics.`);
  if (undirected > 0) {
    console.log(`Without a known direction: ${undirected}. Their rows are commented out, for you to choose.`);
  }
  const skipped = metrics.length - suggested.length;
  if (skipped > 0) console.log(`With too few or too similar values: ${skipped}.`);
  console.log(`Review the file, then set METRICS_API_URL=file:${out} and THRESHOLDS_API_URL=file:${out}.`);
}
