import { setTimeout as wait } from 'node:timers/promises';
import { firstLine, MonitorError } from '../domain/errors.js';
import type { DomainSettings, Window } from '../domain/model.js';
import { addDays, dayOf } from '../domain/time.js';
import { type CatalogState, readCatalogState, writeCatalogState } from '../state/catalog-state.js';
import {
  type CatalogQuery,
  EMPTY_QUERY,
  hasNewerRules,
  latestChangeTime,
  RULEBOOK_KEY,
  type Rulebook,
  readRulebook,
  rulebookSchema,
} from '../state/rulebook.js';
import { firstChangedDay } from '../state/threshold-changes.js';
import { updateDocument } from '../storage/json-document.js';
import type { ObjectStore } from '../storage/object-store.js';
import { covers, mergeCatalogResponse, queriesFor } from './merge-catalog.js';
import { type CatalogSource, type ParsedCatalog } from './parse-catalog.js';

export interface RulebookSyncOptions {
  readonly store: ObjectStore;
  readonly settings: DomainSettings;
  readonly source: CatalogSource;
  readonly ttlMs: number;
  readonly reevaluateDays: number;
  readonly clock: () => number;
  /** Begins to judge the stored days of the window again. */
  readonly reevaluate: (window: Window) => Promise<unknown>;
  readonly log: Readonly<Record<'log' | 'warn', (message: string) => void>>;
  /** How long a job that may judge by the stored rulebook waits for a newer one, ms. */
  readonly patienceMs?: number;
}

const PATIENCE_MS = 5_000;
/** An outage is looked at again after this, or after the TTL if that is shorter. */
const OUTAGE_MS = 30_000;
const SHOWN_REFUSALS = 5;

/**
 * Keeps the stored rulebook equal to the catalog and the settings. The catalog is asked once at a time, and within the
 * TTL only for what it was never asked; that it knows nothing of a name is an answer like any other.
 */
export class RulebookSync {
  private flight: Promise<void> | undefined;
  /** When what the catalog said need not be asked again, ms. */
  private fresh = { from: 0, until: 0 };
  private away = false;

  constructor(private readonly options: RulebookSyncOptions) {}

  /**
   * The stored rulebook, after the catalog has answered all that is needed of it. While the catalog is away, the rules
   * that are stored go on judging.
   * @param needs what must have been asked, if this is the book
   * @param observed the tracking server's clock, ms; a change applies from the day of the earlier of the two clocks, less REEVALUATE_DAYS
   * @throws {MonitorError} `catalog_awaited`: the catalog is away and was never asked for some of it
   */
  async rulebookFor(
    needs: (book: Rulebook) => CatalogQuery,
    observed = Number.POSITIVE_INFINITY,
  ): Promise<Rulebook> {
    await this.refreshSoon(observed);
    for (;;) {
      const book = await readRulebook(this.options.store);
      if (!book) throw new MonitorError('no_rulebook', 'The store has no rulebook yet', {}, true);
      const wanted = this.isAsking ? needs(book) : EMPTY_QUERY;
      if (covers(book.asked, wanted)) return book;
      if (hasNewerRules(book, this.options.settings)) {
        throw new MonitorError('older_rules', 'The store is judged by newer rules than this process knows');
      }
      if (this.flight) await this.flight.catch(() => undefined);
      else await this.fly(() => this.ask(wanted, observed));
    }
  }

  /** Asks for everything again, if the TTL is over. */
  async refresh(observed = Number.POSITIVE_INFINITY): Promise<void> {
    while (!this.isFresh(this.options.clock())) {
      if (!this.flight) return this.fly(() => this.askAgain(observed));
      // How it ends is for those who began it.
      await this.flight.catch(() => undefined);
    }
  }

  private get isAsking(): boolean {
    const { metrics, thresholds } = this.options.source.queriedLists;
    return metrics || thresholds;
  }

  private async refreshSoon(observed: number): Promise<void> {
    const enough = new AbortController();
    const refreshed = this.refresh(observed).finally(() => enough.abort());
    const late = wait(this.options.patienceMs ?? PATIENCE_MS, undefined, { signal: enough.signal });
    await Promise.race([refreshed, late.catch(() => refreshed)]);
  }

  private fly(work: () => Promise<void>): Promise<void> {
    this.flight = work().finally(() => {
      this.flight = undefined;
    });
    return this.flight;
  }

  private async askAgain(observed: number): Promise<void> {
    const { store, ttlMs, clock, log } = this.options;
    try {
      await this.update(EMPTY_QUERY, observed);
    } catch (error) {
      await this.noteOutage(error);
      // Without stored rules nothing may be published as judged.
      if (!(await store.head(RULEBOOK_KEY))) throw error;
      if (!this.away) log.warn(`${firstLine(error)}; judging goes on by the stored rulebook`);
      this.away = true;
      this.fresh = { from: clock(), until: clock() + Math.min(ttlMs, OUTAGE_MS) };
    }
  }

  private async ask(wanted: CatalogQuery, observed: number): Promise<void> {
    try {
      await this.update(wanted, observed);
    } catch (error) {
      await this.noteOutage(error, { awaited: true });
      const message = `${firstLine(error)}; a day holds metrics or experiments for which it was never asked, and waits`;
      throw new MonitorError('catalog_awaited', message, {}, true, { cause: error });
    }
  }

  /** @throws the error, if it is none of the catalog */
  private async noteOutage(error: unknown, more: Partial<CatalogState> = {}): Promise<void> {
    if (!(error instanceof MonitorError) || !error.code.startsWith('catalog_')) throw error;
    const { store, clock } = this.options;
    const { code, message, context } = error;
    const status = typeof context.status === 'number' ? context.status : null;
    const { last_error } = await readCatalogState(store);
    // That it is left alone says less than why.
    const known = code === 'catalog_away' ? last_error : null;
    await writeCatalogState(store, { last_error: known ?? { at: clock(), code, message, status }, ...more });
  }

  private async update(wanted: CatalogQuery, observed: number): Promise<void> {
    const { store, settings, source, clock, reevaluateDays, ttlMs } = this.options;
    const began = clock();
    const again = !this.isFresh(began);
    const at = Math.min(began, observed);
    const change = { at, from: addDays(dayOf(at), -reevaluateDays) };
    let parsed: ParsedCatalog | undefined;
    let window: Window | undefined;
    // The catalog is asked after the book was read, and again after a lost swap: an older answer never goes over a newer one.
    await updateDocument(store, RULEBOOK_KEY, rulebookSchema, async (book) => {
      const questions = queriesFor(book?.asked ?? EMPTY_QUERY, wanted, again);
      const answer = await source.read(questions);
      const next = mergeCatalogResponse(
        book,
        { parsed: answer, queries: questions, again, asks: source.queriedLists },
        settings,
        change,
      );
      parsed = questions.length > 0 || !this.isAsking ? answer : undefined;
      const from = firstChangedDay(next, latestChangeTime(book));
      window = from === undefined ? undefined : { from, to: Number.MAX_SAFE_INTEGER };
      return next;
    });
    if (again) this.fresh = { from: began, until: began + ttlMs };
    if (window) await this.options.reevaluate(window);
    if (parsed) await this.answered(parsed);
  }

  /** A time before the last answer is that of a clock that has gone back. */
  private isFresh(now: number): boolean {
    return now >= this.fresh.from && now < this.fresh.until;
  }

  private async answered({ rejectedRows: refused }: ParsedCatalog): Promise<void> {
    const { store, clock, log } = this.options;
    const before = await readCatalogState(store);
    await writeCatalogState(store, {
      last_success: clock(),
      last_error: null,
      awaited: false,
      refused: refused.length,
    });
    if (this.away || before.last_error) log.log('The catalog answers again');
    this.away = false;
    for (const { list, metric_name, index, problem } of refused.slice(0, SHOWN_REFUSALS)) {
      log.warn(`The catalog's ${list}[${index}] (${metric_name ?? 'without a name'}) is refused: ${problem}`);
    }
    if (refused.length > SHOWN_REFUSALS) {
      log.warn(`The catalog sent ${refused.length} items that cannot be used`);
    }
  }
}
