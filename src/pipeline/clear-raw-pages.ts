import { MS_PER_DAY } from '../domain/time.js';
import type { ObjectStore } from '../storage/object-store.js';
import { readPipelineRun } from './pipeline-run.js';

const KEPT_MS = 3 * MS_PER_DAY;

/** Deletes the raw pages of runs that were finished 3 days ago: they are scratch. */
export async function clearRawPages(store: ObjectStore, now: number): Promise<void> {
  const old = new Map<string, boolean>();
  for await (const { key } of store.list('_raw/')) {
    const run = key.split('/')[1] ?? '';
    let isOld = old.get(run);
    if (isOld === undefined) {
      const record = await readPipelineRun(store, run);
      isOld = record?.finished_at != null && record.finished_at < now - KEPT_MS;
      old.set(run, isOld);
    }
    if (isOld) await store.delete(key);
  }
}
