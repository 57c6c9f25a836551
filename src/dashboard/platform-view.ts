import { type Clock } from '../config/runtime.js';
import { readEndedRunsState } from '../state/ended-runs.js';
import { readQuarantineList } from '../state/quarantine-list.js';
import { loadServiceFacts, type ServiceFacts } from '../state/service-facts.js';
import { ifReadable } from '../storage/json-document.js';
import type { PlatformCurrent } from './contract.js';
import { describePlatform, type PlatformContext } from './describe-platform.js';
import { loadMisdatedDays } from './load-misdated.js';
import type { PlatformFacts } from './load-platform.js';
import { loadPipelineActivity } from './pipeline-activity.js';
import type { PlatformFactsReader } from './platform-facts.js';
import type { Published } from './published-objects.js';
import { type Answer, etagOf, jsonAnswer } from './read/answers.js';

/** A response of `/platform/current`, and what it was computed from. */
export interface PlatformSnapshot {
  readonly published: Published;
  readonly kinds: ServiceFacts['kinds'];
  readonly current: PlatformCurrent;
  readonly platform: PlatformFacts;
  readonly service: ServiceFacts;
  readonly answer: Answer;
}

/** How long a snapshot is served without a refresh, unless this process changes something. */
const FRESH_MS = 5_000;

/**
 * Caches the response of `/platform/current`. A refresh lists the published objects and reads the small documents below
 * `_state/`; `PlatformFactsReader` reads Parquet only if something has changed.
 */
export class PlatformView {
  private snapshot: PlatformSnapshot | undefined;
  /** The refresh in progress, and the version at its start. */
  private refreshing: { readonly version: number; readonly snapshot: Promise<PlatformSnapshot> } | undefined;
  /** In the time of `performance.now()`: a system clock that jumps must not stop refreshes. */
  private freshUntil = Number.NEGATIVE_INFINITY;
  /** Counts the changes by this process that may change the response. */
  private version = 0;

  constructor(
    private readonly facts: PlatformFactsReader,
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
    const [{ published, platform }, { service, activity, kept }, misdated] = await Promise.all([
      this.facts.read(now),
      this.loadService(),
      loadMisdatedDays(this.facts.tools.store, now),
    ]);
    const current = describePlatform({ platform, service, activity, misdated, kept }, this.context, now);
    const facts = { published, kinds: service.kinds, platform, service };
    const body = Buffer.from(JSON.stringify(current));
    if (this.snapshot?.answer.etag === etagOf(body)) return { ...this.snapshot, ...facts };
    return { ...facts, current, answer: await jsonAnswer(body) };
  }

  private async loadService() {
    const { store } = this.facts.tools;
    const service = await loadServiceFacts(store);
    // A damaged document stops the pipeline runs that need it, which the page says. It does not stop the page.
    const quarantine = await ifReadable(readQuarantineList(store));
    const ended = await ifReadable(readEndedRunsState(store));
    const kept = { quarantined: Object.keys(quarantine ?? {}).length, endedSince: ended?.since ?? null };
    return { service, activity: await loadPipelineActivity(store, service.kinds), kept };
  }
}
