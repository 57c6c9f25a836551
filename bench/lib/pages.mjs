import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { CACHE, DIST } from './processes.mjs';
import { DAY, EXPERIMENTS, firstAt, runOf, startOf } from './runs.mjs';

export const experimentsOf = () =>
  Array.from({ length: EXPERIMENTS }, (_, i) => ({
    experiment_id: String(i + 1),
    name: `experiment-${i + 1}`,
    lifecycle_stage: 'active',
    tags: {},
  }));

/**
 * Writes the pages of a search for each day, as MLflow sends them, unless they are there from an earlier time.
 * @returns the folder, and its pages `{ day, file, runs, bytes }`, oldest first
 */
export async function writePages(block, pageSize) {
  const { count, metrics, from, to } = block;
  const folder = join(CACHE, `pages-${count}x${metrics}-${Math.round((to - from) / DAY)}-${pageSize}`);
  const index = join(folder, 'index.json');
  if (!existsSync(index)) {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    const { jsonOf, runJson } = await import(pathToFileURL(join(DIST, 'demo/mlflow-json.js')).href);
    const pages = [];
    for (let i = 0; i < count; ) {
      const nextDay = (Math.floor(startOf(block, i) / DAY) + 1) * DAY;
      const end = Math.min(i + pageSize, firstAt(block, nextDay));
      const runs = Array.from({ length: end - i }, (_, k) => runJson(runOf(block, i + k)));
      const text = jsonOf({ runs });
      const file = `page-${String(pages.length).padStart(5, '0')}.json`;
      await writeFile(join(folder, file), text);
      const day = new Date(nextDay - DAY).toISOString().slice(0, 10);
      pages.push({ day, file, runs: runs.length, bytes: Buffer.byteLength(text) });
      i = end;
    }
    await writeFile(index, JSON.stringify(pages));
  }
  return { folder, pages: JSON.parse(await readFile(index, 'utf8')) };
}
