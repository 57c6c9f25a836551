import { createHash } from 'node:crypto';
import type { ResponseTime } from '../domain/merge-precedence.js';
import { listKeys } from '../storage/list-keys.js';
import type { ObjectStore } from '../storage/object-store.js';

/** What a page depends on. */
export interface PageOrigin {
  /** The key of the page before it in the same searches; empty for the first one. */
  readonly previous: string;
  readonly experiments: readonly string[];
  /** Conditions of the filter, without the excluded runs. */
  readonly filter: string;
  readonly token: string | undefined;
  /** Runs that are excluded because they are too large. */
  readonly oversized: readonly string[];
}

/** A page in `_raw/`. */
export interface StoredPage extends ResponseTime {
  readonly key: string;
}

/** `<execution>-<number>-<began>-<date>-<origin>.json` */
const NAME = /\/([^/-]+)-\d+-(\d+)-(\d+)-([0-9a-f]{16})\.json$/;

/**
 * The key of a page names its origin, so that a later execution of the slice finds it without another object. The origin
 * contains the key of the page before: whoever finds a page with the origin of its next request has read the same pages until
 * then, and may take it for the response to this request.
 */
export const pageKey = (
  prefix: string,
  execution: string,
  number: number,
  { began, date }: ResponseTime,
  origin: PageOrigin,
): string => `${prefix}/${execution}-${number}-${began}-${date}-${digestOf(origin)}.json`;

function digestOf({ previous, experiments, filter, token, oversized }: PageOrigin): string {
  const text = JSON.stringify([previous, experiments, filter, token ?? null, oversized]);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** The pages that earlier executions of a slice have stored. */
export class StoredPages {
  private constructor(private readonly byOrigin: ReadonlyMap<string, StoredPage>) {}

  /** @param prefix of the keys of the slice's pages */
  static async list(store: ObjectStore, prefix: string): Promise<StoredPages> {
    const pages: { origin: string; execution: string; page: StoredPage }[] = [];
    const counts = new Map<string, number>();
    for await (const key of listKeys(store, `${prefix}/`)) {
      const [, execution, began, date, origin] = NAME.exec(key) ?? [];
      if (execution === undefined || origin === undefined) continue;
      counts.set(execution, (counts.get(execution) ?? 0) + 1);
      pages.push({ origin, execution, page: { key, began: Number(began), date: Number(date) } });
    }
    // Of executions with the same beginning, the one that stored the most pages has the last word.
    pages.sort((a, b) => (counts.get(a.execution) ?? 0) - (counts.get(b.execution) ?? 0));
    return new StoredPages(new Map(pages.map(({ origin, page }) => [origin, page])));
  }

  find(origin: PageOrigin): StoredPage | undefined {
    return this.byOrigin.get(digestOf(origin));
  }
}
