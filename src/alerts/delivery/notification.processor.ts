import { Processor } from '@nestjs/bullmq';
import { Inject } from '@nestjs/common';
import type { Job } from 'bullmq';
import { z } from 'zod';
import type { DeliveryPolicy } from '../../domain/alerts/routes.js';
import { publish } from '../../observability/diagnostics.js';
import { reportError } from '../../observability/report-error.js';
import { NOTIFICATION_QUEUE } from '../../queue/queue-names.js';
import { QueueProcessor } from '../../queue/queue-processor.js';
import { WORKER_OPTIONS } from '../../queue/worker-options.js';
import { AlertChain } from '../../state/alerts/evaluations.js';
import { CHANNEL_TYPES } from '../channels/channel-table.js';
import { type DeliveryOptions, deliver } from './deliver.js';
import { NOTIFICATION_JOBS, Notifier } from './notifier.js';
import { type ResentChannel, resend } from './resend.js';

/** Injection token of the `DeliveryOptions`. */
export const DELIVERY = Symbol('DELIVERY');

/** Injection token of a function that returns the `DeliveryPolicy` in force. */
export const DELIVERY_POLICY = Symbol('DELIVERY_POLICY');

const jobSchema = z.object({ name: z.string() });
const resendSchema = z.object({ route: z.string(), channel: z.int().min(0) });
/** Messages that are sent at the same time: one slow receiver must not delay all others. */
const CONCURRENCY = 4;

/** Processes the queue `notification`: one attempt to deliver a message per job, or the state for one channel. */
@Processor(NOTIFICATION_QUEUE, { ...WORKER_OPTIONS, concurrency: CONCURRENCY })
export class NotificationProcessor extends QueueProcessor {
  private readonly chain: AlertChain;

  constructor(
    @Inject(DELIVERY) private readonly delivery: DeliveryOptions,
    private readonly notifier: Notifier,
    @Inject(DELIVERY_POLICY) private readonly policy: () => Promise<DeliveryPolicy>,
  ) {
    super();
    this.chain = new AlertChain(delivery.store);
  }

  override onApplicationBootstrap(): void {
    super.onApplicationBootstrap();
    for (const channel of CHANNEL_TYPES) publish({ type: 'alert_channel', channel });
  }

  protected async run(job: Job): Promise<void> {
    if (job.name === NOTIFICATION_JOBS.resend) return this.resendState(resendSchema.parse(job.data));
    const { name } = jobSchema.parse(job.data);
    try {
      if (await deliver(this.delivery, name)) await this.notifier.enqueue();
    } catch (error) {
      // The store is away. The sweep of the next minute enqueues the message again.
      reportError(error, { stage: 'deliver', prefix: `Message ${name} was not delivered` });
    }
  }

  private async resendState(channel: ResentChannel): Promise<void> {
    try {
      await resend(this.delivery, this.chain, await this.policy(), channel);
    } catch (error) {
      reportError(error, { stage: 'deliver', prefix: `The state of route ${channel.route} was not sent` });
    }
  }
}
