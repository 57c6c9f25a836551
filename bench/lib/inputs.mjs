import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newFolder, startProgram } from './processes.mjs';
import { catalogOf } from './runs.mjs';

/** The settings of a service: a catalog in `folder`, and the tracking server. */
export async function settingsFor(uri, metrics, folder) {
  const where = folder ?? (await newFolder());
  const catalog = join(where, 'catalog.json');
  await writeFile(catalog, JSON.stringify(catalogOf(metrics)));
  return {
    MLFLOW_TRACKING_URI: uri,
    METRICS_API_URL: `file:${catalog}`,
    THRESHOLDS_API_URL: `file:${catalog}`,
    LOG_FORMAT: 'json',
    PORT: '0',
  };
}

/**
 * Starts the tracking server of the demo with some runs.
 * @param blocks by name
 * @param now its clock, ms; undefined: the real time
 * @param keepsPages whether a page that was requested before is returned from memory
 */
export async function startTrackingServer(blocks, now, keepsPages = false) {
  const server = await startProgram('tracking-server.mjs');
  const uri = await server.call('start', { now, keepsPages });
  for (const [name, block] of Object.entries(blocks)) await server.call('add', { name, block });
  return { ...server, uri };
}
