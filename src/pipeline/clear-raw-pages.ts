import { MS_PER_DAY } from '../domain/time.js';
import { ifReadable } from '../storage/json-document.js';
import { listKeys } from '../storage/list-keys.js';
import type { ObjectStore } from '../storage/object-store.js';
import { readPipelineRun } from './pipeline-run.js';

/** By store: when pipeline runs with pages finished, ms, by id. A finished run stays so: its record is read once. */
const finishTimes = new WeakMap<ObjectStore, ReadonlyMap<string, number>>();

/** Deletes the raw pages of pipeline runs that finished more than `days` ago: no stage reads them any more. @param now ms */
export async function clearRawPages(store: ObjectStore, days: number, now: number): Promise<void> {
  const expiresBefore = now - days * MS_PER_DAY;
  const known = finishTimes.get(store);
  const finished = new Map<string, number>();
  const unfinished = new Set<string>();
  for await (const key of listKeys(store, '_raw/')) {
    const id = key.split('/')[1] ?? '';
    if (!finished.has(id) && !unfinished.has(id)) {
      // Pages of a run whose record is invalid are kept: nobody knows whether it has finished.
      const time = known?.get(id) ?? (await ifReadable(readPipelineRun(store, id)))?.finished_at;
      if (time == null) unfinished.add(id);
      else finished.set(id, time);
    }
    if ((finished.get(id) ?? now) < expiresBefore) await store.delete(key);
  }
  finishTimes.set(store, finished);
}
