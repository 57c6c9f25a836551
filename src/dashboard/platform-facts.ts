import { createHash } from 'node:crypto';
import { addDays, dayOf } from '../domain/time.js';
import { type Rulebook, readRulebookVersion } from '../state/rulebook.js';
import { loadPlatform, type PlatformFacts, type ReadTools } from './load-platform.js';
import { daysRead, spansAt } from './load-rollups.js';
import { listAll, listPublished, type Published } from './published-objects.js';

const READ = [
  'runs',
  'enriched_metrics',
  'metric_forecast',
  'application_summary',
  'platform_summary',
] as const;

/** The facts at a time, and what they were read from. */
export interface FactsAtTime {
  readonly published: Published;
  readonly book: Rulebook | undefined;
  readonly platform: PlatformFacts;
  /** Equal keys: equal facts. */
  readonly key: string;
}

/**
 * Reads what the page and the alerts are computed from. Lists the published objects each time, and reads Parquet only if an
 * object, the rulebook or the hour has changed.
 */
export class PlatformFactsReader {
  private newest: { readonly key: string; readonly value: Promise<PlatformFacts> } | undefined;

  constructor(readonly tools: ReadTools) {}

  /** @param now ms */
  async read(now: number): Promise<FactsAtTime> {
    const { store, settings } = this.tools;
    // The ETag of what was read: the rulebook may be replaced meanwhile.
    const { value: book, etag: bookEtag } = (await readRulebookVersion(store)) ?? {};
    const spans = spansAt(now, book, settings);
    const count = daysRead(spans);
    const days = Array.from({ length: count }, (_, i) => addDays(dayOf(now), i + 1 - count));
    const published = await listPublished((prefix) => listAll(store, prefix), READ, days);
    const objects = [...published.values()].map(({ key, etag }) => [key, etag]);
    const key = digest(JSON.stringify([spans.current.to, bookEtag, objects]));
    if (this.newest?.key !== key) {
      const value = loadPlatform(this.tools, published, spans, book);
      this.newest = { key, value };
      value.catch(() => {
        if (this.newest?.value === value) this.newest = undefined;
      });
    }
    return { published, book, platform: await this.newest.value, key };
  }
}

const digest = (text: string): string => createHash('sha256').update(text).digest('base64url');
