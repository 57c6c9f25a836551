import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { errorMessage } from '../../domain/errors.js';
import { Notifier } from './notifier.js';

const SWEEP_MS = 60_000;

/** Seals and enqueues each minute what a crash or a flush of the queue lost, and the state for channels that need it. */
@Injectable()
export class NotificationSweepService implements OnApplicationBootstrap {
  private readonly log = new Logger('Alerts');
  private isActive = false;
  private lastError: string | undefined;

  constructor(private readonly notifier: Notifier) {}

  onApplicationBootstrap(): void {
    // Not awaited: the page does not wait for it.
    void this.sweep();
  }

  @Interval(SWEEP_MS)
  async sweep(): Promise<void> {
    if (this.isActive) return;
    this.isActive = true;
    try {
      await this.notifier.sweep();
      await this.notifier.enqueueResends();
      this.lastError = undefined;
    } catch (error) {
      const message = errorMessage(error);
      if (message !== this.lastError) this.log.warn(`Messages were not enqueued: ${message}`);
      this.lastError = message;
    } finally {
      this.isActive = false;
    }
  }
}
