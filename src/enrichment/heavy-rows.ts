import { unlink } from 'node:fs/promises';
import type { DuckSession } from '../storage/duck.js';

/**
 * Rows with long texts are written in batches of about this size. DuckDB handles 2048 rows at a time and cannot spill them
 * meanwhile: of runs with 25 params of 6000 characters, these are 300 MB. Only what exceeds 8 KiB of a row counts
 * (heavy_bytes.sql), so that ordinary days are one batch.
 */
export const BATCH_BYTES = 16 * 2 ** 20;

/**
 * Writes a file in batches: one directly, several as files of their own that are joined, so that neither this nor any later
 * reader has more than a batch in memory.
 */
export async function writeBatches<T>(
  session: DuckSession,
  file: string,
  batches: readonly T[],
  writeBatch: (batch: T, file: string) => Promise<void>,
  join: (files: readonly string[]) => Promise<void>,
): Promise<void> {
  const [only, ...others] = batches;
  if (only !== undefined && others.length === 0) return writeBatch(only, file);
  const parts: string[] = [];
  try {
    for (const batch of batches) {
      const part = session.tempFile('part.parquet');
      parts.push(part);
      await writeBatch(batch, part);
    }
    await join(parts);
  } finally {
    await Promise.all(parts.map((part) => unlink(part).catch(() => undefined)));
  }
}
