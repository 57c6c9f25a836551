import { Injectable, Logger } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { RulebookSync } from './rulebook-sync.js';

const POLL_MS = 10_000;

/** Polls the catalog for changes, also while no pipeline run needs it. */
@Injectable()
export class CatalogPollService {
  private readonly log = new Logger('Catalog');

  constructor(private readonly rulebookSync: RulebookSync) {}

  @Interval(POLL_MS)
  async poll(): Promise<void> {
    try {
      await this.rulebookSync.refresh();
    } catch (error) {
      this.log.warn(`Polling the catalog failed: ${error instanceof Error ? error.message : error}`);
    }
  }
}
