import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Settings } from '../config/settings.js';
import { MonitorError } from '../domain/errors.js';
import { formatBytes } from '../domain/text.js';
import {
  applyRetention,
  type ExpiredDataset,
  planRetention,
  wantedFirstDays,
} from '../pipeline/retention.js';
import { RETENTION_KEY, retentionSchema } from '../state/retention.js';
import { WATERMARKS_KEY, watermarksSchema } from '../state/watermarks.js';
import { lockFolder } from '../storage/folder-lock.js';
import type { StoreReader } from '../storage/folder-reader.js';
import { openStoreForReading } from '../storage/inspect-store.js';
import { openStore } from '../storage/open-store.js';

/**
 * Prints what `RETENTION_DAYS` deletes, and deletes it unless it is a dry run. A dry run only reads, so a service may be
 * running on the store.
 * @throws {MonitorError} `store_owned`: the service that owns the folder deletes by itself
 */
export async function retention(settings: Settings, dryRun: boolean): Promise<void> {
  // Not `STORAGE_DIR`: a running service owns that.
  const temp = await mkdtemp(join(tmpdir(), 'mlflow-monitor-'));
  try {
    const { store } = await openStoreForReading(settings, temp);
    try {
      const planned = await plan(settings, store, Date.now());
      console.log(describe(planned, dryRun));
    } finally {
      await store.close();
    }
  } finally {
    await rm(temp, { recursive: true, force: true });
  }
  if (!dryRun) await deleteExpired(settings);
}

async function plan(settings: Settings, store: StoreReader, now: number): Promise<ExpiredDataset[]> {
  const stored = await store.get(RETENTION_KEY);
  const first = stored ? retentionSchema.parse(JSON.parse(stored.body.toString('utf8'))).first_days : {};
  const published = await store.get(WATERMARKS_KEY);
  const watermarks = published
    ? watermarksSchema.parse(JSON.parse(published.body.toString('utf8'))).experiments
    : {};
  return planRetention(store, first, wantedFirstDays(settings.RETENTION_DAYS, watermarks, now));
}

function describe(planned: readonly ExpiredDataset[], dryRun: boolean): string {
  if (planned.length === 0) {
    return 'Nothing is deleted by age: RETENTION_DAYS names no dataset, or nothing is published yet.';
  }
  const lines = planned.map(({ dataset, first_day, objects, bytes }) => {
    const size = objects > 0 ? ` (${formatBytes(bytes)})` : '';
    return `${dataset}: first day kept ${first_day}, ${objects} objects${size} to delete`;
  });
  return [...lines, ...(dryRun ? ['Dry run: nothing was deleted.'] : [])].join('\n');
}

async function deleteExpired(settings: Settings): Promise<void> {
  try {
    const dir = resolve(settings.STORAGE_DIR);
    const lock = await lockFolder(dir);
    try {
      const store = await openStore(settings, dir);
      try {
        while (!(await applyRetention(store, settings.RETENTION_DAYS, Date.now())));
        console.log('Deleted.');
      } finally {
        await store.close();
      }
    } finally {
      await lock.release();
    }
  } catch (error) {
    if (!(error instanceof MonitorError) || error.code !== 'store_owned') throw error;
    const message = `${error.message}\nIf the process is a running service, it deletes these within an hour by its own RETENTION_DAYS.`;
    throw new MonitorError(error.code, message, error.context, false, { cause: error });
  }
}
