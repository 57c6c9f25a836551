import type { DomainSettings } from '../domain/model.js';
import { addDays, dayOf } from '../domain/time.js';
import { RULEBOOK_KEY, rulebookSchema, updateRulebook } from '../pipeline/rulebook.js';
import { updateDocument } from '../storage/json-document.js';
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
    const age = this.options.clock() - this.refreshedAt;
    // An age below 0 is that of a clock that has gone back.
    if (age >= 0 && age < this.options.ttlMs) return Promise.resolve();
    this.underWay ??= this.update(observed).finally(() => {
      this.underWay = undefined;
    });
    return this.underWay;
  }

  private async update(observed: number): Promise<void> {
    const { store, settings, clock, reevaluateDays } = this.options;
    const changeFrom = addDays(dayOf(Math.min(clock(), observed)), -reevaluateDays);
    // The catalog is read after the book and again after a lost swap: an older answer never goes over a newer one.
    await updateDocument(store, RULEBOOK_KEY, rulebookSchema, async (book) => {
      const answer = await this.read(book !== undefined);
      return answer && updateRulebook(book, answer, settings, changeFrom);
    });
    this.refreshedAt = clock();
  }

  /** undefined: the catalog cannot be read, and the stored rules go on judging; without any, nothing may be published as judged. */
  private async read(hasRules: boolean): Promise<ParsedCatalog | undefined> {
    const { readCatalog, warn } = this.options;
    try {
      const answer = await readCatalog();
      for (const { list, index, problem } of answer.refused) {
        warn(`The catalog's ${list}[${index}] is refused: ${problem}`);
      }
      return answer;
    } catch (error) {
      if (!hasRules) throw error;
      warn(`${error instanceof Error ? error.message : error}; judging goes on by the stored rulebook`);
      return undefined;
    }
  }
}
