import { setTimeout as wait } from 'node:timers/promises';
import { inSlices } from '../config/event-loop.js';
import { errorMessage, firstLine, MonitorError } from '../domain/errors.js';
import type { DomainSettings, Window } from '../domain/model.js';
import { addDays, dayOf, MS_PER_DAY } from '../domain/time.js';
import { reportError } from '../observability/report-error.js';
import { type CatalogState, readCatalogState, writeCatalogState } from '../state/catalog-state.js';
import type { Processes } from '../state/processes.js';
import { firstRuledDay, pruneRulebookSteps, type RuleUse } from '../state/prune-rulebook.js';
import { beginWith } from '../state/raise-versions.js';
import { readFirstDays } from '../state/retention.js';
import {
  type CatalogQuery,
  EMPTY_QUERY,
  latestChangeTime,
  RULEBOOK_KEY,
  type Rulebook,
  readRulebook,
  rulebookSchema,
} from '../state/rulebook.js';
import { firstChangedDay, publishedThrough } from '../state/threshold-changes.js';
import { assertSupported, supports, versionsInForce } from '../state/versions.js';
import { updateDocument } from '../storage/json-document.js';
import type { ObjectStore } from '../storage/object-store.js';
import { covers, mergeCatalogResponse, queriesFor } from './merge-catalog.js';
import { type CatalogSource, type ParsedCatalog } from './parse-catalog.js';
import { readStoredNames } from './stored-names.js';

export interface RulebookSyncOptions {
  readonly store: ObjectStore;
  /** The judging settings of the store. */
  readonly settings: () => Promise<DomainSettings>;
  /** A new rulebook begins with the versions that they have in common. */
  readonly processes: Pick<Processes, 'supported' | 'common'>;
  readonly source: CatalogSource;
  /** How long catalog responses are cached, ms. */
  readonly ttlMs: number;
  /** To how many past days a change applies. */
  readonly reevaluateDays: () => Promise<number>;
  readonly clock: () => number;
  /** Starts a reevaluation of the stored days in the window. */
  readonly reevaluate: (window: Window) => Promise<unknown>;
  readonly log: Readonly<Record<'log' | 'warn', (message: string) => void>>;
  /** How long a job that can use the stored rulebook waits for a newer one, ms. */
  readonly maxWaitMs?: number;
}

const MAX_WAIT_MS = 5_000;
/** Time between attempts during an outage, unless the TTL is shorter. */
const OUTAGE_RETRY_MS = 30_000;
const LOGGED_ROWS = 5;
/** How long rules that no stored day needs are kept after they were replaced: no pipeline run compares with them then, ms. */
const REPLACED_RULES_KEPT_MS = 90 * MS_PER_DAY;

/**
 * Keeps the stored rulebook equal to the catalog and the settings. One request to the catalog runs at a time. Within the TTL
 * it is queried only for names that were never queried before; that it has no row for a name is cached, too.
 */
export class RulebookSync {
  private request: Promise<void> | undefined;
  /** The time during which the last response is cached, ms. */
  private cached = { from: 0, until: 0 };
  private isDown = false;
  private isOlder = false;

  constructor(private readonly options: RulebookSyncOptions) {}

  /**
   * The stored rulebook, after the catalog was queried for everything that is needed. During an outage of the catalog the
   * stored rules still apply.
   * @param needs what the catalog must have been queried for to judge by this rulebook
   * @param observed the tracking server's clock, ms; a change applies from the day of the earlier of the two clocks, less REEVALUATE_DAYS
   * @param known a rulebook that this method returned: returned again without a request, if it contains what is needed
   * @throws {MonitorError} `catalog_awaited` if the catalog is down and was never queried for some of it; `older_rules` if
   * this process is older than the store
   */
  async rulebookFor(
    needs: (book: Rulebook) => CatalogQuery | Promise<CatalogQuery>,
    observed = Number.POSITIVE_INFINITY,
    known?: Rulebook,
  ): Promise<Rulebook> {
    if (known && (!this.isQueried || covers(known.asked, await needs(known)))) return known;
    await this.refreshWithin(this.options.maxWaitMs ?? MAX_WAIT_MS, observed);
    if (!(await this.options.store.head(RULEBOOK_KEY))) {
      // Nothing can be judged without it. If it was deleted since the last response, that counts no longer.
      this.cached = { from: 0, until: 0 };
      await this.refresh(observed);
    }
    for (;;) {
      const book = await readRulebook(this.options.store);
      if (!book) throw new MonitorError('no_rulebook', 'The store has no rulebook yet', {}, true);
      this.assertSupported(book);
      const wanted = this.isQueried ? await needs(book) : EMPTY_QUERY;
      if (covers(book.asked, wanted)) return book;
      if (this.request) await this.request.catch(() => undefined);
      else await this.startRequest(() => this.queryNames(wanted, observed));
    }
  }

  /** Logs once that this process is older than the store. */
  private assertSupported(book: Rulebook): void {
    const { processes, log } = this.options;
    try {
      assertSupported(processes.supported, versionsInForce(book));
      this.isOlder = false;
    } catch (error) {
      if (!this.isOlder) log.warn(firstLine(error));
      this.isOlder = true;
      throw error;
    }
  }

  /** Repeats all queries if the TTL has expired. */
  async refresh(observed = Number.POSITIVE_INFINITY): Promise<void> {
    while (!this.isCached(this.options.clock())) {
      if (!this.request) return this.startRequest(() => this.queryAll(observed));
      // The caller that started the request handles its error.
      await this.request.catch(() => undefined);
    }
  }

  /** Removes from the rulebook what no stored day needs. Idempotent. */
  async prune(): Promise<void> {
    const { store, processes, source, clock } = this.options;
    const first = await readFirstDays(store);
    const use: RuleUse = {
      firstDay: firstRuledDay(first),
      // Without retention of facts, all names that were queried are stored.
      stored: first._base === undefined ? undefined : await readStoredNames(store),
      queriedLists: source.queriedLists,
      settledUntil: Math.min(await publishedThrough(store), clock() - REPLACED_RULES_KEPT_MS),
    };
    await updateDocument(store, RULEBOOK_KEY, rulebookSchema, (book) =>
      book && supports(processes.supported, versionsInForce(book))
        ? inSlices(pruneRulebookSteps(book, use))
        : undefined,
    );
  }

  /** Whether a list of the catalog is queried by name; files are read whole. */
  private get isQueried(): boolean {
    const { metrics, thresholds } = this.options.source.queriedLists;
    return metrics || thresholds;
  }

  private async refreshWithin(ms: number, observed: number): Promise<void> {
    const done = new AbortController();
    const refreshed = this.refresh(observed).finally(() => done.abort());
    const timeout = wait(ms, undefined, { signal: done.signal });
    await Promise.race([refreshed, timeout.catch(() => refreshed)]);
  }

  private startRequest(work: () => Promise<void>): Promise<void> {
    this.request = work().finally(() => {
      this.request = undefined;
    });
    return this.request;
  }

  private async queryAll(observed: number): Promise<void> {
    const { store, ttlMs, clock } = this.options;
    try {
      await this.update(EMPTY_QUERY, observed);
    } catch (error) {
      await this.recordOutage(error);
      // Without a stored rulebook nothing can be judged.
      if (!(await store.head(RULEBOOK_KEY))) throw error;
      reportError(error, { stage: 'catalog' });
      this.isDown = true;
      this.cached = { from: clock(), until: clock() + Math.min(ttlMs, OUTAGE_RETRY_MS) };
    }
  }

  private async queryNames(wanted: CatalogQuery, observed: number): Promise<void> {
    try {
      await this.update(wanted, observed);
    } catch (error) {
      await this.recordOutage(error, { awaited: true });
      reportError(error, { stage: 'catalog' });
      const message = `${firstLine(error)}; a day has metrics or experiments that it was never queried for and cannot be judged yet`;
      throw new MonitorError('catalog_awaited', message, {}, true, { cause: error });
    }
  }

  /** @throws the error, if it does not come from the catalog */
  private async recordOutage(error: unknown, more: Partial<CatalogState> = {}): Promise<void> {
    if (!(error instanceof MonitorError) || !error.code.startsWith('catalog_')) throw error;
    const { store, clock } = this.options;
    const { code, context } = error;
    const message = errorMessage(error);
    const status = typeof context.status === 'number' ? context.status : null;
    const { last_error } = await readCatalogState(store);
    // `catalog_away` means that no request was made: the error before it has the reason.
    const cause = code === 'catalog_away' ? last_error : null;
    await writeCatalogState(store, { last_error: cause ?? { at: clock(), code, message, status }, ...more });
  }

  private async update(wanted: CatalogQuery, observed: number): Promise<void> {
    const { store, settings, processes, source, clock, reevaluateDays, ttlMs } = this.options;
    const startedAt = clock();
    const repeated = !this.isCached(startedAt);
    const at = Math.min(startedAt, observed);
    const change = { at, from: addDays(dayOf(at), -(await reevaluateDays())) };
    let parsed: ParsedCatalog | undefined;
    let window: Window | undefined;
    // Each round reads the rulebook first and then queries the catalog, so an older response never replaces a newer one.
    await updateDocument(store, RULEBOOK_KEY, rulebookSchema, async (book) => {
      const queries = queriesFor(book?.asked ?? EMPTY_QUERY, wanted, repeated);
      const response = await source.read(queries);
      const { queriedLists } = source;
      const catalogResponse = { parsed: response, queries, repeated, queriedLists };
      const merged = await inSlices(
        mergeCatalogResponse(book, catalogResponse, await settings(), change, processes.supported),
      );
      const next = book ? merged : beginWith(merged, await processes.common(), at);
      parsed = queries.length > 0 || !this.isQueried ? response : undefined;
      const from = firstChangedDay(next, latestChangeTime(book));
      window = from === undefined ? undefined : { from, to: Number.MAX_SAFE_INTEGER };
      return next;
    });
    if (repeated) this.cached = { from: startedAt, until: startedAt + ttlMs };
    if (window) await this.options.reevaluate(window);
    if (parsed) await this.recordSuccess(parsed);
  }

  /** A time before the last response means that the clock was set back. */
  private isCached(now: number): boolean {
    return now >= this.cached.from && now < this.cached.until;
  }

  private async recordSuccess({ rejectedRows }: ParsedCatalog): Promise<void> {
    const { store, clock, log } = this.options;
    const before = await readCatalogState(store);
    await writeCatalogState(store, {
      last_success: clock(),
      last_error: null,
      awaited: false,
      refused: rejectedRows.length,
    });
    if (this.isDown || before.last_error) log.log('The catalog is available again');
    this.isDown = false;
    for (const { list, metric_name, index, problem } of rejectedRows.slice(0, LOGGED_ROWS)) {
      log.warn(`Rejected ${list}[${index}] of the catalog (${metric_name ?? 'without a name'}): ${problem}`);
    }
    if (rejectedRows.length > LOGGED_ROWS) {
      log.warn(`Rejected ${rejectedRows.length} rows of the catalog in total`);
    }
  }
}
