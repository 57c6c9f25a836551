import { setTimeout as wait } from 'node:timers/promises';
import { MonitorError } from '../domain/errors.js';
import type { DomainSettings, Window } from '../domain/model.js';
import { addDays, dayOf } from '../domain/time.js';
import { readCatalogState, writeCatalogState } from '../pipeline/catalog-state.js';
import {
  lastChange,
  NO_QUESTION,
  type Question,
  RULEBOOK_KEY,
  type Rulebook,
  rulebookSchema,
} from '../pipeline/rulebook.js';
import { firstChangedDay } from '../pipeline/threshold-changes.js';
import { canonicalJson, readDocument, replaceDocument } from '../storage/json-document.js';
import type { ObjectStore } from '../storage/object-store.js';
import { applyAnswer, covers, questionsFor } from './answer.js';
import { type CatalogSource, type ParsedCatalog, problemOf } from './catalog.js';

export interface RulebookKeeperOptions {
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
const ROUNDS = 20;
const SHOWN_REFUSALS = 5;

/**
 * Keeps the stored rulebook equal to the catalog and the settings. The catalog is asked once at a time, and within the
 * TTL only for what it was never asked; that it knows nothing of a name is an answer like any other.
 */
export class RulebookKeeper {
  private flight: Promise<void> | undefined;
  private freshUntil = Number.NEGATIVE_INFINITY;
  private away = false;

  constructor(private readonly options: RulebookKeeperOptions) {}

  /**
   * The stored rulebook, after the catalog has answered all that is needed of it. While the catalog is away, the rules
   * that are stored go on judging.
   * @param needs what must have been asked, if this is the book
   * @param observed the tracking server's clock, ms; a change applies from the day of the earlier of the two clocks, less REEVALUATE_DAYS
   * @throws {MonitorError} `catalog_awaited`: the catalog is away and was never asked for some of it
   */
  async bookFor(needs: (book: Rulebook) => Question, observed = Number.POSITIVE_INFINITY): Promise<Rulebook> {
    await this.refreshSoon(observed);
    for (;;) {
      const book = (await readDocument(this.options.store, RULEBOOK_KEY, rulebookSchema))?.value;
      if (!book) throw new MonitorError('no_rulebook', 'The store has no rulebook yet', {}, true);
      const wanted = needs(book);
      if (!this.isAsking || covers(book.asked, wanted)) return book;
      if (this.flight) await this.flight.catch(() => undefined);
      else await this.fly(() => this.ask(wanted, observed));
    }
  }

  /** Asks for everything again, if the TTL is over. */
  async refresh(observed = Number.POSITIVE_INFINITY): Promise<void> {
    while (this.options.clock() >= this.freshUntil) {
      if (!this.flight) return this.fly(() => this.askAgain(observed));
      // How it ends is for those who began it.
      await this.flight.catch(() => undefined);
    }
  }

  private get isAsking(): boolean {
    const { metrics, thresholds } = this.options.source.asks;
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
      await this.update(NO_QUESTION, observed);
    } catch (error) {
      await this.noteOutage(error);
      // Without stored rules nothing may be published as judged.
      if (!(await store.head(RULEBOOK_KEY))) throw error;
      if (!this.away) log.warn(`${problemOf(error)}; judging goes on by the stored rulebook`);
      this.away = true;
      this.freshUntil = clock() + Math.min(ttlMs, OUTAGE_MS);
    }
  }

  private async ask(wanted: Question, observed: number): Promise<void> {
    try {
      await this.update(wanted, observed);
    } catch (error) {
      await this.noteOutage(error);
      const message = `${problemOf(error)}; a day holds metrics or experiments for which it was never asked, and waits`;
      throw new MonitorError('catalog_awaited', message, {}, true, { cause: error });
    }
  }

  /** @throws the error, if it is none of the catalog */
  private async noteOutage(error: unknown): Promise<void> {
    if (!(error instanceof MonitorError) || !error.code.startsWith('catalog_')) throw error;
    const { store, clock } = this.options;
    await writeCatalogState(store, { last_error: { at: clock(), code: error.code, message: error.message } });
  }

  private async update(wanted: Question, observed: number): Promise<void> {
    const { store, settings, source, clock, reevaluateDays, ttlMs } = this.options;
    for (let round = 0; round < ROUNDS; round++) {
      // Read before the catalog is asked: who lost a race has an answer that may be older than the winner's, and asks again.
      const stored = await readDocument(store, RULEBOOK_KEY, rulebookSchema);
      const began = clock();
      const again = began >= this.freshUntil;
      const questions = questionsFor(stored?.value.asked ?? NO_QUESTION, wanted, again);
      const parsed = await source.read(questions);
      const at = Math.min(clock(), observed);
      const next = applyAnswer(stored?.value, { parsed, questions, again, asks: source.asks }, settings, {
        at,
        from: addDays(dayOf(at), -reevaluateDays),
      });
      const isSame = stored && canonicalJson(stored.value) === canonicalJson(next);
      if (!isSame && !(await replaceDocument(store, RULEBOOK_KEY, rulebookSchema, next, stored))) continue;
      if (again) this.freshUntil = began + ttlMs;
      const window = changedWindow(stored?.value, next);
      if (window) await this.options.reevaluate(window);
      if (!this.isAsking || questions.length > 0) await this.answered(parsed);
      return;
    }
    throw new MonitorError('rulebook_contended', `The rulebook changed under ${ROUNDS} attempts`, {}, true);
  }

  private async answered({ refused }: ParsedCatalog): Promise<void> {
    const { store, clock, log } = this.options;
    const before = await readCatalogState(store);
    await writeCatalogState(store, { last_success: clock(), last_error: null, refused: refused.length });
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

/** The days to which the changes from one book to the next apply; undefined: what was known stays as it was. */
function changedWindow(before: Rulebook | undefined, after: Rulebook): Window | undefined {
  const from = firstChangedDay(after, lastChange(before));
  return from === undefined ? undefined : { from, to: Number.MAX_SAFE_INTEGER };
}
