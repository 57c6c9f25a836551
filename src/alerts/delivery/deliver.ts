import type { MessageContext } from '../../domain/alerts/message-text.js';
import { MonitorError } from '../../domain/errors.js';
import { publish } from '../../observability/diagnostics.js';
import { reportError } from '../../observability/report-error.js';
import { channelMemory } from '../../state/alerts/channel-memory.js';
import {
  readDelivery,
  readMessage,
  readOutbox,
  recordDelivery,
  type UnfinishedMessage,
  updateOutbox,
} from '../../state/alerts/outbox.js';
import type { ObjectStore } from '../../storage/object-store.js';
import type { Channel } from '../channels/contract.js';
import { type Attempt, claim, type Ended, type Holder, settle, withoutMessage } from './outbox-changes.js';

/** A channel of a route, in its place. */
export interface RouteChannel {
  /** `undefined`: it is not set up. */
  readonly channel: Channel | undefined;
  /** A digest of where it sends: what a receiver has refused for good counts until the address is another one. */
  readonly address: string;
}

export interface DeliveryOptions {
  readonly store: ObjectStore;
  readonly holder: Holder;
  readonly clock: () => number;
  /** The channels of a route, in their order. */
  readonly channelsOf: (route: string) => Promise<readonly RouteChannel[]>;
  /** A number from 0 to 1. */
  readonly random: () => number;
  readonly context: () => Promise<MessageContext>;
  readonly log: Readonly<Record<'log' | 'warn', (message: string) => void>>;
}

/**
 * Makes one attempt to deliver a sealed message. The order of writes is: take it, send it, record what became of it. After
 * a crash between any two of them another attempt sends it under the same id.
 * @returns whether the message, or one behind it, may be tried again: the caller enqueues what is due
 */
export async function deliver(options: DeliveryOptions, name: string): Promise<boolean> {
  const { store, holder, clock } = options;
  let taken: UnfinishedMessage | undefined;
  let disabled: readonly string[] = [];
  await updateOutbox(store, (current) => {
    const next = claim(current, name, holder, clock());
    taken = next?.unfinished.find((each) => each.name === name);
    disabled = current.disabled
      .filter(({ until }) => Date.parse(until) > clock())
      .map(({ channel }) => channel);
    return next;
  });
  if (!taken) return false;
  const message: UnfinishedMessage = taken;
  if (await readDelivery(store, name)) {
    // A process that is gone has recorded it: Slack would show it twice.
    await updateOutbox(store, (current) => withoutMessage(current, name));
    options.log.log(`Message ${name} had been recorded by a process that is gone`);
    return true;
  }
  const channels = await options.channelsOf(message.route);
  const { channel, address = '' } = channels[message.channel] ?? {};
  const attempt = await tryOnce(options, message, channel, disabled.includes(address));
  const tried = {
    channel: channel?.label ?? `channel ${message.channel + 1}`,
    type: channel?.type ?? 'unknown',
  };
  const jitter = options.random();
  await finish(options, message, { attempt, channel: tried, address, channels: channels.length, jitter });
  return true;
}

async function tryOnce(
  { store, context, clock }: DeliveryOptions,
  { name, route, incidents, channel: number }: UnfinishedMessage,
  channel: Channel | undefined,
  isDisabled: boolean,
): Promise<Attempt> {
  const message = await readMessage(store, name);
  const lines = message?.lines.filter(({ incident }) => incidents.includes(incident.id)) ?? [];
  if (!message || (lines.length === 0 && !message.noise)) return { outcome: 'superseded' };
  if (!channel) return { outcome: 'failed', error: `the route has no channel ${number + 1} that is set up` };
  if (isDisabled) return { outcome: 'failed', error: 'disabled: the receiver answered 410' };
  const attempt = await channel.send({
    id: message.id,
    message: { ...message, lines },
    context: await context(),
    memory: channelMemory(store, `${route}.${number}.${channel.type}`, clock),
    now: clock(),
  });
  publish({ type: 'alert_attempt', channel: channel.type, outcome: attempt.outcome });
  return attempt;
}

async function finish(
  { store, holder, clock, log }: DeliveryOptions,
  message: UnfinishedMessage,
  ended: Ended,
): Promise<void> {
  const { attempt, channel: tried } = ended;
  const { name, route } = message;
  const now = clock();
  const outcome = settle(await readOutbox(store), name, holder, ended, now);
  // Before it leaves the outbox: a crash in between repeats the attempt under the same id, and the first record stays.
  if (outcome?.status) {
    const sealed = await readMessage(store, name);
    await recordDelivery(store, name, {
      version: 1,
      id: sealed?.id ?? name,
      route,
      kind: sealed?.kind ?? 'alert',
      status: outcome.status,
      sealed_at: message.sealed_at,
      finished_at: new Date(now).toISOString(),
      incidents: sealed?.lines.map(({ incident }) => incident.id) ?? [],
      channels: [...outcome.channels],
    });
  }
  await updateOutbox(store, (current) => settle(current, name, holder, ended, now)?.outbox);
  const error = 'error' in attempt && attempt.error ? `: ${attempt.error}` : '';
  if (attempt.outcome === 'wait') {
    const minutes = Math.ceil(attempt.afterMs / 60_000);
    log.log(`Message ${name}, ${tried.channel}: the rest is sent in ${minutes} min`);
  } else if (attempt.outcome === 'delivered')
    log.log(`Message ${name} delivered by ${tried.channel}${error}`);
  else if (attempt.outcome !== 'superseded' && attempt.outcome !== 'skipped') {
    const next = outcome?.status === 'failed' ? 'it is not delivered' : 'another attempt follows';
    const failure = new MonitorError(
      'alert_not_delivered',
      `Message ${name}${error}; ${next}`,
      { name },
      true,
    );
    reportError(failure, { stage: `deliver by ${tried.channel}`, upstream: 'alerts' });
  }
}
