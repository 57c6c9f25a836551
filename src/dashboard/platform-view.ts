import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type Clock } from '../config/runtime.js';
import { RULEBOOK_KEY, readRulebook } from '../state/rulebook.js';
import type { PlatformCurrent } from './contract.js';
import { describePlatform, type PlatformContext } from './describe-platform.js';
import { loadPlatform, type PlatformFacts, type ReadTools } from './load-platform.js';
import { daysRead, spansAt } from './load-rollups.js';
import { listPublished, type Published } from './published-objects.js';
import { loadServiceState, type ServiceState } from './service-state.js';

/** The platform as it was looked at last, ready to be sent. */
export interface PlatformSnapshot {
  readonly published: Published;
  readonly state: ServiceState;
  readonly current: PlatformCurrent;
  readonly json: Buffer;
  readonly gzipped: Buffer;
  readonly etag: string;
}

/** Within this time nothing is looked at again, unless this process did something itself. */
const LOOK_MS = 5_000;

const digest = (text: string): string => createHash('sha256').update(text).digest('base64url');

/**
 * Keeps the answer of `/platform/current`. A look lists what is published and reads the small documents of the service; only
 * when an object, the rulebook or the hour is another one, Parquet is read.
 */
export class PlatformView {
  private view: PlatformSnapshot | undefined;
  private facts: { readonly key: string; readonly value: PlatformFacts } | undefined;
  /** The look under way, and what had been done when it was asked for. */
  private looking: { readonly done: number; readonly view: Promise<PlatformSnapshot> } | undefined;
  /** Until then the view serves, in the time of `performance.now()`: a clock that jumps must not stop looks. */
  private freshUntil = Number.NEGATIVE_INFINITY;
  /** How often this process did something that may have changed the answer. */
  private done = 0;

  constructor(
    private readonly tools: ReadTools,
    private readonly surroundings: PlatformContext,
    private readonly clock: Clock,
  ) {}

  /** Something was done: the next request looks again. */
  invalidate(): void {
    this.done++;
    this.freshUntil = Number.NEGATIVE_INFINITY;
  }

  async current(): Promise<PlatformSnapshot> {
    if (this.view && performance.now() < this.freshUntil) return this.view;
    // A look that began before something was done may not show it.
    if (this.looking?.done !== this.done) {
      this.looking = { done: this.done, view: this.lookAfter(this.looking?.view) };
    }
    return this.looking.view;
  }

  private async lookAfter(other: Promise<PlatformSnapshot> | undefined): Promise<PlatformSnapshot> {
    await other?.catch(() => undefined);
    const [begun, done] = [performance.now(), this.done];
    try {
      this.view = await this.makeView();
      if (done === this.done) this.freshUntil = begun + LOOK_MS;
      return this.view;
    } finally {
      if (done === this.done) this.looking = undefined;
    }
  }

  private async makeView(): Promise<PlatformSnapshot> {
    const { store, settings } = this.tools;
    const now = this.clock();
    const book = await readRulebook(store);
    const spans = spansAt(now, book, settings);
    const published = await listPublished(store, now, daysRead(spans));
    const rules = await store.head(RULEBOOK_KEY);
    const key = digest(JSON.stringify([spans.current.to, rules?.etag, [...published]]));
    if (this.facts?.key !== key) {
      this.facts = { key, value: await loadPlatform(this.tools, published, spans, book) };
    }
    const state = await loadServiceState(store);
    const current = describePlatform(this.facts.value, state, this.surroundings, now);
    const text = JSON.stringify(current);
    const etag = `W/"${digest(text)}"`;
    if (this.view?.etag === etag) return { ...this.view, published, state };
    const json = Buffer.from(text);
    return { published, state, current, json, gzipped: await promisify(gzip)(json), etag };
  }
}
