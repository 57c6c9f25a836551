import { randomUUID } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { HttpService } from '@nestjs/axios';
import axios from 'axios';
import { suggestionsFile } from '../admin/suggest/file.js';
import { type Suggestions, suggestThresholds } from '../admin/suggest/suggest.js';
import { catalogOptions, type Settings } from '../config/settings.js';
import { MonitorError } from '../domain/errors.js';
import { createRuleResolver } from '../domain/rule.js';
import { openCatalog } from '../enrichment/catalog-source.js';
import { NO_QUESTION, type Question, RULEBOOK_KEY, rulebookSchema } from '../pipeline/rulebook.js';
import { Duck } from '../storage/duck.js';

/**
 * Suggests thresholds from what is published, also while a service runs on the folder: it only reads.
 * @param out the file to write; undefined: standard output
 * @throws {MonitorError} `nothing_stored`, `file_exists`
 */
export async function suggest(settings: Settings, out: string | undefined): Promise<void> {
  const dir = resolve(settings.STORAGE_DIR);
  const files = await publishedFiles(join(dir, settings.S3_PREFIX ?? '', 'enriched_metrics'));
  if (files.length === 0) {
    const message = `There is no history in ${dir} yet: let \`mlflow-monitor serve\` or \`mlflow-monitor run historical\` read some first.`;
    throw new MonitorError('nothing_stored', message, { dir });
  }
  const catalog = openCatalog(new HttpService(axios.create()), catalogOptions(settings));
  const { metadata, thresholds } = await catalog.read([
    await askedBefore(join(dir, settings.S3_PREFIX ?? '')),
  ]);
  const ruleOf = createRuleResolver(metadata, thresholds);
  // A folder of its own: that of the service belongs to its owner.
  const temp = join(tmpdir(), `mlflow-monitor-${randomUUID()}`);
  const duck = await Duck.open(dir, {
    memory: settings.DUCKDB_MEMORY_LIMIT,
    threads: settings.DUCKDB_THREADS,
    maxTempSize: settings.DUCKDB_MAX_TEMP_SIZE,
    temp,
  });
  try {
    const suggestions = await suggestThresholds(duck, files, (metric) => ruleOf(metric, ''));
    await write(suggestionsFile(suggestions, out ?? './thresholds.yaml'), out);
    if (out !== undefined) report(suggestions, out);
  } finally {
    duck.close();
    await rm(temp, { recursive: true, force: true });
  }
}

/** What the service has asked an API for, which is every name that it has read. */
async function askedBefore(folder: string): Promise<Question> {
  const text = await readFile(join(folder, RULEBOOK_KEY), 'utf8').catch(() => undefined);
  return text === undefined ? NO_QUESTION : rulebookSchema.parse(JSON.parse(text)).asked;
}

async function publishedFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  return names
    .filter((name) => name.endsWith('.parquet'))
    .sort()
    .map((name) => join(folder, name));
}

async function write(text: string, out: string | undefined): Promise<void> {
  if (out === undefined) {
    process.stdout.write(text);
    return;
  }
  try {
    await writeFile(out, text, { flag: 'wx' });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    const message = `${out} is there already and stays as it is: give another name, or delete it first.`;
    throw new MonitorError('file_exists', message, { out });
  }
}

function report({ metrics }: Suggestions, out: string): void {
  const some = metrics.filter(({ options }) => options.length > 0);
  const open = some.filter(({ direction }) => direction === null).length;
  console.log(`${out}: thresholds for ${some.length - open} of ${metrics.length} metrics.`);
  if (open > 0) console.log(`${open} need you to say which way is better: they are commented out.`);
  const few = metrics.length - some.length;
  if (few > 0) console.log(`${few} have values that are too few, or too much alike.`);
  console.log(`Read it, then set METRICS_API_URL=file:${out} and THRESHOLDS_API_URL=file:${out}.`);
}
