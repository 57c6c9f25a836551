import { Injectable } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { errorMessage } from '../domain/errors.js';
import { reportError } from '../observability/report-error.js';
import { brokenKeyOf } from '../storage/json-document.js';
import { RulebookSync } from './rulebook-sync.js';

const POLL_MS = 10_000;
const PRUNE_MS = 3_600_000;

/** Polls the catalog for changes, even when no pipeline run needs it, and prunes the rulebook. */
@Injectable()
export class CatalogPollService {
  private lastBroken: string | undefined;

  constructor(private readonly rulebookSync: RulebookSync) {}

  @Interval(POLL_MS)
  async poll(): Promise<void> {
    try {
      await this.rulebookSync.refresh();
      this.lastBroken = undefined;
    } catch (error) {
      this.warn('Polling the catalog failed', error);
    }
  }

  @Interval(PRUNE_MS)
  async prune(): Promise<void> {
    try {
      await this.rulebookSync.prune();
    } catch (error) {
      this.warn('Removing old rules failed', error);
    }
  }

  private warn(what: string, error: unknown): void {
    const message = `${what}: ${errorMessage(error)}`;
    if (message !== this.lastBroken) reportError(error, { stage: 'catalog', prefix: what });
    // Waiting does not mend an invalid document: it is logged once.
    this.lastBroken = brokenKeyOf(error) === undefined ? undefined : message;
  }
}
