import { Injectable, Logger } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { errorMessage } from '../domain/errors.js';
import { brokenKeyOf } from '../storage/json-document.js';
import { RulebookSync } from './rulebook-sync.js';

const POLL_MS = 10_000;

/** Polls the catalog for changes, even when no pipeline run needs it. */
@Injectable()
export class CatalogPollService {
  private readonly log = new Logger('Catalog');

  private lastBroken: string | undefined;

  constructor(private readonly rulebookSync: RulebookSync) {}

  @Interval(POLL_MS)
  async poll(): Promise<void> {
    try {
      await this.rulebookSync.refresh();
      this.lastBroken = undefined;
    } catch (error) {
      const message = errorMessage(error);
      if (message !== this.lastBroken) this.log.warn(`Polling the catalog failed: ${message}`);
      // Waiting does not mend an invalid document: it is logged once.
      this.lastBroken = brokenKeyOf(error) === undefined ? undefined : message;
    }
  }
}
