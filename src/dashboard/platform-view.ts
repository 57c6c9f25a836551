import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type Clock } from '../config/runtime.js';
import { addDays, dayOf } from '../domain/time.js';
import { RULEBOOK_KEY, readRulebook } from '../state/rulebook.js';
import { loadServiceFacts, type ServiceFacts } from '../state/service-facts.js';
import type { PlatformCurrent } from './contract.js';
import { describePlatform, type PlatformContext } from './describe-platform.js';
import { loadPlatform, type PlatformFacts, type ReadTools } from './load-platform.js';
import { daysRead, spansAt } from './load-rollups.js';
import { loadPipelineActivity, type PipelineActivity } from './pipeline-activity.js';
import { listAll, listPublished, type Published } from './published-objects.js';

/** A response of `/platform/current`, serialized, and what it was computed from. */
export interface PlatformSnapshot {
  readonly published: Published;
  readonly kinds: ServiceFacts['kinds'];
  readonly current: PlatformCurrent;
  readonly platform: PlatformFacts;
  readonly service: ServiceFacts;
  readonly json: Buffer;
  readonly gzipped: Buffer;
  readonly etag: string;
}

const READ = [
  'runs',
  'enriched_metrics',
  'metric_forecast',
  'application_summary',
  'platform_summary',
] as const;

/** How long a snapshot is served without a refresh, unless this process changes something. */
const FRESH_MS = 5_000;

const digest = (text: string): string => createHash('sha256').update(text).digest('base64url');

/**
 * Caches the response of `/platform/current`. A refresh lists the published objects and reads the small documents below
 * `_state/`. It reads Parquet only if an object, the rulebook or the hour has changed.
 */
export class PlatformView {
  private snapshot: PlatformSnapshot | undefined;
  private facts: { readonly key: string; readonly value: PlatformFacts } | undefined;
  /** The refresh in progress, and the version at its start. */
  private refreshing: { readonly version: number; readonly snapshot: Promise<PlatformSnapshot> } | undefined;
  /** In the time of `performance.now()`: a system clock that jumps must not stop refreshes. */
  private freshUntil = Number.NEGATIVE_INFINITY;
  /** Counts the changes by this process that may change the response. */
  private version = 0;

  constructor(
    private readonly tools: ReadTools,
    private readonly context: PlatformContext,
    private readonly clock: Clock,
  ) {}

  /** Makes the next request refresh the snapshot. */
  invalidate(): void {
    this.version++;
    this.freshUntil = Number.NEGATIVE_INFINITY;
  }

  async current(): Promise<PlatformSnapshot> {
    if (this.snapshot && performance.now() < this.freshUntil) return this.snapshot;
    // A refresh that started before a change may not include it.
    if (this.refreshing?.version !== this.version) {
      const snapshot = this.refreshAfter(this.refreshing?.snapshot);
      this.refreshing = { version: this.version, snapshot };
    }
    return this.refreshing.snapshot;
  }

  private async refreshAfter(previous: Promise<PlatformSnapshot> | undefined): Promise<PlatformSnapshot> {
    await previous?.catch(() => undefined);
    const [startedAt, version] = [performance.now(), this.version];
    try {
      this.snapshot = await this.load();
      if (version === this.version) this.freshUntil = startedAt + FRESH_MS;
      return this.snapshot;
    } finally {
      if (version === this.version) this.refreshing = undefined;
    }
  }

  private async load(): Promise<PlatformSnapshot> {
    const now = this.clock();
    const [{ published, platform }, { service, activity }] = await Promise.all([
      this.loadFacts(now),
      this.loadService(),
    ]);
    const current = describePlatform({ platform, service, activity }, this.context, now);
    const facts = { published, kinds: service.kinds, platform, service };
    const text = JSON.stringify(current);
    const etag = `W/"${digest(text)}"`;
    if (this.snapshot?.etag === etag) return { ...this.snapshot, ...facts };
    const json = Buffer.from(text);
    return { ...facts, current, json, gzipped: await promisify(gzip)(json), etag };
  }

  private async loadService(): Promise<{ service: ServiceFacts; activity: PipelineActivity }> {
    const service = await loadServiceFacts(this.tools.store);
    return { service, activity: await loadPipelineActivity(this.tools.store, service.kinds) };
  }

  private async loadFacts(now: number): Promise<{ published: Published; platform: PlatformFacts }> {
    const { store, settings } = this.tools;
    const book = await readRulebook(store);
    const spans = spansAt(now, book, settings);
    const count = daysRead(spans);
    const days = Array.from({ length: count }, (_, i) => addDays(dayOf(now), i + 1 - count));
    const published = await listPublished((prefix) => listAll(store, prefix), READ, days);
    const storedBook = await store.head(RULEBOOK_KEY);
    const objects = [...published.values()].map(({ key, etag }) => [key, etag]);
    const key = digest(JSON.stringify([spans.current.to, storedBook?.etag, objects]));
    if (this.facts?.key !== key) {
      this.facts = { key, value: await loadPlatform(this.tools, published, spans, book) };
    }
    return { published, platform: this.facts.value };
  }
}
