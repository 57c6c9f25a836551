import type { Queue } from 'bullmq';
import type { DeliveryPolicy } from '../../domain/alerts/routes.js';
import { AlertChain } from '../../state/alerts/evaluations.js';
import type { Outbox } from '../../state/alerts/outbox.js';
import { pruneMessages, readOutbox } from '../../state/alerts/outbox.js';
import type { ObjectStore } from '../../storage/object-store.js';
import { dueMessages, type Holder } from './outbox-changes.js';
import type { ResentChannel } from './resend.js';
import { sealMessages } from './seal-messages.js';

export interface NotifierOptions {
  readonly store: ObjectStore;
  readonly queue: Queue;
  readonly holder: Holder;
  readonly clock: () => number;
  readonly policy: () => Promise<DeliveryPolicy>;
  /** The channels that get the state each minute. */
  readonly resent: () => Promise<readonly ResentChannel[]>;
}

/** The names of the jobs. */
export const NOTIFICATION_JOBS = { deliver: 'deliver', resend: 'resend' } as const;

/** The name of a message. Facts and addresses are not in the queue. */
export interface NotificationJob {
  readonly name: string;
}

const MINUTE = 60_000;

/** Seals messages and enqueues those that are not finished. */
export class Notifier {
  private readonly chain: AlertChain;

  constructor(private readonly options: NotifierOptions) {
    this.chain = new AlertChain(options.store);
  }

  /** Called after each evaluation, and each minute for what a crash or the queue lost. */
  async sweep(): Promise<void> {
    const { store, policy, clock } = this.options;
    const outbox = await sealMessages(store, await policy(), clock(), this.chain);
    await this.enqueue(outbox);
  }

  /** Enqueues the state for channels that need it each minute. Two processes enqueue it once. */
  async enqueueResends(): Promise<void> {
    const { queue, clock, resent } = this.options;
    const minute = Math.floor(clock() / MINUTE);
    for (const each of await resent()) {
      await queue.add(NOTIFICATION_JOBS.resend, each satisfies ResentChannel, {
        jobId: `resend.${each.route}.${each.channel}.${minute}`,
        removeOnComplete: true,
        removeOnFail: true,
      });
    }
  }

  /** Deletes the messages of evaluations that are not kept any more. */
  async prune(): Promise<void> {
    const [first] = await this.chain.sequences();
    if (first !== undefined) await pruneMessages(this.options.store, first);
  }

  /** Enqueues all unfinished messages; the queue knows some of them already. */
  async enqueue(outbox?: Outbox): Promise<void> {
    const { store, queue, holder, clock } = this.options;
    const { unfinished, ...rest } = outbox ?? (await readOutbox(store));
    for (const { message, delayMs } of dueMessages({ unfinished, ...rest }, holder, clock())) {
      const { name, channel, attempts, next_at } = message;
      await queue.add(NOTIFICATION_JOBS.deliver, { name } satisfies NotificationJob, {
        // One job per attempt. A finished one is removed, so that it can be enqueued again.
        jobId: `${name}.${channel}.${attempts}.${Date.parse(next_at)}`,
        delay: delayMs,
        removeOnComplete: true,
        removeOnFail: true,
      });
    }
  }
}
