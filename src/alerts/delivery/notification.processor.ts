import { Processor } from '@nestjs/bullmq';
import { Inject, Logger } from '@nestjs/common';
import type { Job } from 'bullmq';
import { z } from 'zod';
import { errorMessage } from '../../domain/errors.js';
import { publish } from '../../observability/diagnostics.js';
import { NOTIFICATION_QUEUE } from '../../queue/queue-names.js';
import { QueueProcessor } from '../../queue/queue-processor.js';
import { WORKER_OPTIONS } from '../../queue/worker-options.js';
import { CHANNEL_TYPES } from '../channels/contract.js';
import { type DeliveryOptions, deliver } from './deliver.js';
import { Notifier } from './notifier.js';

/** Injection token of the `DeliveryOptions`. */
export const DELIVERY = Symbol('DELIVERY');

const jobSchema = z.object({ name: z.string() });
/** Messages that are sent at the same time: one slow receiver must not delay all others. */
const CONCURRENCY = 4;

/** Processes the queue `notification`: one attempt to deliver a message per job. */
@Processor(NOTIFICATION_QUEUE, { ...WORKER_OPTIONS, concurrency: CONCURRENCY })
export class NotificationProcessor extends QueueProcessor {
  private readonly log = new Logger('Alerts');

  constructor(
    @Inject(DELIVERY) private readonly delivery: DeliveryOptions,
    private readonly notifier: Notifier,
  ) {
    super();
  }

  override onApplicationBootstrap(): void {
    super.onApplicationBootstrap();
    for (const channel of CHANNEL_TYPES) publish({ type: 'alert_channel', channel });
  }

  protected async run(job: Job): Promise<void> {
    const { name } = jobSchema.parse(job.data);
    try {
      if (await deliver(this.delivery, name)) await this.notifier.enqueue();
    } catch (error) {
      // The store is away. The sweep of the next minute enqueues the message again.
      this.log.warn(`Message ${name} was not delivered: ${errorMessage(error)}`);
    }
  }
}
