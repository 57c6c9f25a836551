import { MS_PER_DAY } from '../domain/time.js';
import { ifReadable } from '../storage/json-document.js';
import type { ObjectStore } from '../storage/object-store.js';
import { readPipelineRun } from './pipeline-run.js';

/** How long raw pages are kept after their pipeline run has finished. No stage reads them any more. docs/storage.md names it. */
const RAW_PAGE_RETENTION_DAYS = 3;

/** Deletes the raw pages of pipeline runs that finished more than `RAW_PAGE_RETENTION_DAYS` ago. */
export async function clearRawPages(store: ObjectStore, now: number): Promise<void> {
  const expiresBefore = now - RAW_PAGE_RETENTION_DAYS * MS_PER_DAY;
  const expired = new Map<string, boolean>();
  for await (const { key } of store.list('_raw/')) {
    const pipelineRunId = key.split('/')[1] ?? '';
    let isExpired = expired.get(pipelineRunId);
    if (isExpired === undefined) {
      // Pages of a run whose record is invalid are kept: nobody knows whether it has finished.
      const record = await ifReadable(readPipelineRun(store, pipelineRunId));
      isExpired = record?.finished_at != null && record.finished_at < expiresBefore;
      expired.set(pipelineRunId, isExpired);
    }
    if (isExpired) await store.delete(key);
  }
}
