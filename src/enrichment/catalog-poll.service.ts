import { Injectable, Logger } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { errorMessage } from '../domain/errors.js';
import { RulebookSync } from './rulebook-sync.js';

const POLL_MS = 10_000;

/** Polls the catalog for changes, even when no pipeline run needs it. */
@Injectable()
export class CatalogPollService {
  private readonly log = new Logger('Catalog');

  constructor(private readonly rulebookSync: RulebookSync) {}

  @Interval(POLL_MS)
  async poll(): Promise<void> {
    try {
      await this.rulebookSync.refresh();
    } catch (error) {
      this.log.warn(`Polling the catalog failed: ${errorMessage(error)}`);
    }
  }
}
