import type { DomainSettings } from '../domain/model.js';
import { addDays, dayOf } from '../domain/time.js';
import { RULEBOOK_KEY, rulebookSchema, updateRulebook } from '../pipeline/rulebook.js';
import { readDocument, updateDocument } from '../storage/json-document.js';
import type { ObjectStore } from '../storage/object-store.js';
import type { ParsedCatalog } from './catalog.js';

export interface RulebookKeeperOptions {
  readonly store: ObjectStore;
  readonly settings: DomainSettings;
  readonly readCatalog: () => Promise<ParsedCatalog>;
  readonly ttlMs: number;
  readonly reevaluateDays: number;
  readonly clock: () => number;
  readonly warn: (message: string) => void;
}

/** Keeps the stored rulebook equal to the catalog and the settings. One refresh at a time; within the TTL nothing is asked again. */
export class RulebookKeeper {
  private underWay: Promise<void> | undefined;
  private refreshedAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: RulebookKeeperOptions) {}

  /** @param observed the tracking server's clock, ms; a change applies from the day of the earlier of the two clocks, less REEVALUATE_DAYS */
  refresh(observed = Number.POSITIVE_INFINITY): Promise<void> {
    if (this.options.clock() - this.refreshedAt < this.options.ttlMs) return Promise.resolve();
    this.underWay ??= this.update(observed).finally(() => {
      this.underWay = undefined;
    });
    return this.underWay;
  }

  private async update(observed: number): Promise<void> {
    const { store, settings, readCatalog, clock, reevaluateDays, warn } = this.options;
    let answer: ParsedCatalog;
    try {
      answer = await readCatalog();
    } catch (error) {
      // The stored rules go on judging; without any, nothing may be published as judged.
      if (!(await readDocument(store, RULEBOOK_KEY, rulebookSchema))) throw error;
      warn(`${error instanceof Error ? error.message : error}; judging goes on by the stored rulebook`);
      this.refreshedAt = clock();
      return;
    }
    for (const { list, index, problem } of answer.refused) {
      warn(`The catalog's ${list}[${index}] is refused: ${problem}`);
    }
    const changeFrom = addDays(dayOf(Math.min(clock(), observed)), -reevaluateDays);
    await updateDocument(store, RULEBOOK_KEY, rulebookSchema, (book) =>
      updateRulebook(book, answer, settings, changeFrom),
    );
    this.refreshedAt = clock();
  }
}
