import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { reportError } from '../../observability/report-error.js';
import { Notifier } from './notifier.js';

const SWEEP_MS = 60_000;

/** Seals and enqueues each minute what a crash or a flush of the queue lost, and the state for channels that need it. */
@Injectable()
export class NotificationSweepService implements OnApplicationBootstrap {
  private isActive = false;

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
    } catch (error) {
      reportError(error, { stage: 'deliver', prefix: 'Messages were not enqueued' });
    } finally {
      this.isActive = false;
    }
  }
}
