import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Resources } from '../../src/resources.js';
import { readFooter } from '../../src/storage/footer.js';

/** SHA-256 of every derived object of a store and of the tails of series, and the content digest of every base object, by key. */
export async function digestsOf({
  store,
  duck,
}: Pick<Resources, 'store' | 'duck'>): Promise<Record<string, string>> {
  const digests: Record<string, string> = {};
  for await (const { key } of store.list('')) {
    const isBase = key.startsWith('_base/');
    const isInternal = key.startsWith('_') && !isBase && !key.startsWith('_tails/');
    if (/^(quarantine|threshold_changes|data_quality|alerts)\//.test(key) || isInternal) continue;
    const file = (await store.fetch(key))?.file ?? '';
    digests[key] = isBase
      ? ((await duck.session((session) => readFooter(session, file, 'content'))) ?? 'none')
      : createHash('sha256')
          .update(await readFile(file))
          .digest('hex');
  }
  return digests;
}
