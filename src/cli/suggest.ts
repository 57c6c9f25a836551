import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { HttpService } from '@nestjs/axios';
import axios from 'axios';
import { catalogOptions, type Settings, s3Options } from '../config/settings.js';
import { errno, MonitorError } from '../domain/errors.js';
import { createRuleResolver } from '../domain/rule.js';
import { openCatalog } from '../enrichment/catalog-source.js';
import { type CatalogQuery, EMPTY_QUERY, RULEBOOK_KEY, rulebookSchema } from '../state/rulebook.js';
import { Duck } from '../storage/duck.js';
import type { ObjectStore } from '../storage/object-store.js';
import { openBucket } from '../storage/open-store.js';
import { type Suggestions, suggestThresholds } from './suggest/suggest-thresholds.js';
import { suggestionsFile } from './suggest/suggestions-file.js';

/**
 * Suggests thresholds from what is published, also while a service runs on the store: it only reads.
 * @param out the file to write; undefined: standard output
 * @throws {MonitorError} `nothing_stored`, `file_exists`
 */
export async function suggest(settings: Settings, out: string | undefined): Promise<void> {
  // A folder of its own: that of the service belongs to its owner.
  const temp = await mkdtemp(join(tmpdir(), 'mlflow-monitor-'));
  try {
    const suggestions = await suggestFrom(settings, await readPublished(settings, temp), temp);
    await write(suggestionsFile(suggestions, out ?? './thresholds.yaml'), out);
    if (out !== undefined) report(suggestions, out);
  } finally {
    await rm(temp, { recursive: true, force: true });
  }
}

interface Published {
  /** Where the files lie. */
  readonly folder: string;
  /** Parquet of `enriched_metrics`. */
  readonly files: readonly string[];
  /** The stored rulebook; undefined: none yet. */
  readonly rulebook: Buffer | undefined;
}

async function suggestFrom(
  settings: Settings,
  { folder, files, rulebook }: Published,
  temp: string,
): Promise<Suggestions> {
  const catalog = openCatalog(new HttpService(axios.create()), catalogOptions(settings));
  const { metadata, thresholds } = await catalog.read([askedBefore(rulebook)]);
  const ruleOf = createRuleResolver(metadata, thresholds);
  const duck = await Duck.open(folder, {
    memory: settings.DUCKDB_MEMORY_LIMIT,
    threads: settings.DUCKDB_THREADS,
    maxTempSize: settings.DUCKDB_MAX_TEMP_SIZE,
    temp,
  });
  try {
    return await suggestThresholds(duck, files, (metric) => ruleOf(metric, ''));
  } finally {
    duck.close();
  }
}

/** What the service has asked an API for, which is every name that it has read. */
function askedBefore(rulebook: Buffer | undefined): CatalogQuery {
  return rulebook ? rulebookSchema.parse(JSON.parse(rulebook.toString('utf8'))).asked : EMPTY_QUERY;
}

async function readPublished(settings: Settings, temp: string): Promise<Published> {
  const bucket = s3Options(settings);
  const dir = resolve(settings.STORAGE_DIR);
  const published = bucket
    ? await copyFrom(await openBucket({ ...bucket, dir: temp }), temp)
    : await readBelow(join(dir, settings.S3_PREFIX ?? ''));
  if (published.files.length > 0) return published;
  const where = bucket ? `the bucket ${bucket.bucket}` : dir;
  const message = `There is no history in ${where} yet: let \`mlflow-monitor serve\` or \`mlflow-monitor run historical\` read some first.`;
  throw new MonitorError('nothing_stored', message, { where });
}

/** Not through a `FolderStore`: who opens one owns the folder. */
async function readBelow(root: string): Promise<Published> {
  const folder = join(root, 'enriched_metrics');
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const files = names.filter((name) => name.endsWith('.parquet')).sort();
  return {
    folder,
    files: files.map((name) => join(folder, name)),
    rulebook: await readFile(join(root, RULEBOOK_KEY)).catch(() => undefined),
  };
}

async function copyFrom(store: ObjectStore, folder: string): Promise<Published> {
  try {
    const files: string[] = [];
    for await (const { key } of store.list('enriched_metrics/')) {
      const copy = await store.fetch(key);
      if (copy) files.push(copy.file);
    }
    return { folder, files, rulebook: (await store.get(RULEBOOK_KEY))?.body };
  } finally {
    await store.close();
  }
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
