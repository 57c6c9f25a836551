import type { AlertMessage } from '../../domain/alerts/plan-messages.js';
import { MS_PER_DAY, MS_PER_HOUR } from '../../domain/time.js';
import type { AlertDelivery, Outbox, TriedChannel, UnfinishedMessage } from '../../state/alerts/outbox.js';
import type { SendResult } from '../channels/contract.js';

/** Pure changes of the outbox. Times in ms. */

const MINUTE = 60_000;
/** Waits between attempts: those of the specification of Standard Webhooks 1.0.0. */
export const RETRY_MS: readonly number[] = [
  5_000,
  5 * MINUTE,
  30 * MINUTE,
  2 * MS_PER_HOUR,
  5 * MS_PER_HOUR,
  10 * MS_PER_HOUR,
  14 * MS_PER_HOUR,
  20 * MS_PER_HOUR,
  24 * MS_PER_HOUR,
];
/** Attempts on a channel that is not the last of its route: an alert must not wait for days. */
export const ATTEMPTS_BEFORE_NEXT = 3;
/** The largest random share that is added to a wait: Standard Webhooks recommends it against retries that come all at once. */
const JITTER = 0.2;
const MAX_RETRY_AFTER_MS = MS_PER_DAY;
/** More than the time limit of an attempt. */
export const LEASE_MS = 45_000;
/** How long an address stays disabled whose receiver wants no more messages. */
const DISABLED_MS = 7 * MS_PER_DAY;

const iso = (ms: number): string => new Date(ms).toISOString();

/** The process that makes an attempt. */
export interface Holder {
  readonly id: string;
  /** No other process delivers: leases of others are those of a process that is gone. */
  readonly isSole: boolean;
}

const isLeased = ({ lease }: UnfinishedMessage, { id, isSole }: Holder, now: number): boolean =>
  lease !== null && (lease.by === id || !isSole) && Date.parse(lease.until) > now;

/**
 * Adds messages of an evaluation. They replace what earlier messages of their route say about the same incidents and is not
 * sent yet.
 */
export function addMessages(
  outbox: Outbox,
  plan: NonNullable<Outbox['plan']>,
  messages: readonly { readonly name: string; readonly message: AlertMessage }[],
  now: number,
): Outbox {
  const added = messages.map(
    ({ name, message }): UnfinishedMessage => ({
      name,
      route: message.route,
      sequence: plan.through,
      sealed_at: iso(now),
      incidents: message.lines.map(({ incident }) => incident.id),
      channel: 0,
      attempts: 0,
      next_at: iso(now),
      lease: null,
      tried: [],
    }),
  );
  const replaced = new Map<string, Set<string>>();
  for (const { route, incidents } of added)
    replaced.set(route, new Set([...(replaced.get(route) ?? []), ...incidents]));
  const unfinished = outbox.unfinished.map((each) => {
    const incidents = each.incidents.filter((id) => !replaced.get(each.route)?.has(id));
    // What has nothing left to say ends at once.
    return incidents.length > 0 ? { ...each, incidents } : { ...each, incidents, next_at: iso(now) };
  });
  return { ...outbox, plan, unfinished: [...unfinished, ...added] };
}

/**
 * Takes a message for one attempt.
 * @returns `undefined` if it is finished, not due, taken, or behind a message of its route that is being sent
 */
export function claim(outbox: Outbox, name: string, holder: Holder, now: number): Outbox | undefined {
  const index = outbox.unfinished.findIndex((each) => each.name === name);
  const message = outbox.unfinished[index];
  if (!message || Date.parse(message.next_at) > now) return undefined;
  const sending = outbox.unfinished
    .slice(0, index + 1)
    .some((each) => each.route === message.route && isLeased(each, holder, now));
  if (sending) return undefined;
  return replace(outbox, { ...message, lease: { by: holder.id, until: iso(now + LEASE_MS) } });
}

const replace = (outbox: Outbox, message: UnfinishedMessage): Outbox => ({
  ...outbox,
  unfinished: outbox.unfinished.map((each) => (each.name === message.name ? message : each)),
});

/** The messages that need a job, with the delay of each, ms. */
export function dueMessages(
  outbox: Outbox,
  holder: Holder,
  now: number,
): { readonly message: UnfinishedMessage; readonly delayMs: number }[] {
  return outbox.unfinished
    .filter((each) => !isLeased(each, holder, now))
    .map((message) => ({ message, delayMs: Math.max(0, Date.parse(message.next_at) - now) }));
}

/** A wait that is no failure, at least, ms. */
const MIN_WAIT_MS = 1_000;

/** What one attempt did. `superseded`: nothing was left to send. */
export type Attempt = SendResult | { readonly outcome: 'superseded' };

export interface Settled {
  readonly outbox: Outbox;
  /** Set if the message is finished. */
  readonly status: AlertDelivery['status'] | null;
  readonly channels: readonly TriedChannel[];
}

export interface Ended {
  readonly attempt: Attempt;
  /** That was tried. */
  readonly channel: Pick<TriedChannel, 'channel' | 'type'>;
  /** A digest of its address. */
  readonly address: string;
  /** Number of channels of the route. */
  readonly channels: number;
  /** 0 to 1, random: the share of the jitter by which the next attempt is later. */
  readonly jitter: number;
}

/**
 * Ends an attempt.
 * @returns `undefined` if the message is finished, or taken by another process since
 */
export function settle(
  outbox: Outbox,
  name: string,
  holder: Holder,
  { attempt, channel, address, channels, jitter }: Ended,
  now: number,
): Settled | undefined {
  const message = outbox.unfinished.find((each) => each.name === name);
  if (!message || message.lease?.by !== holder.id) return undefined;
  const { outcome } = attempt;
  const taken = 'taken' in attempt ? (attempt.taken ?? []) : [];
  // Attempts without progress are counted: 100 events at a limit of 60 a minute are no failure.
  const attempts = taken.length > 0 ? 1 : message.attempts + 1;
  const rest = message.incidents.filter((id) => !taken.includes(id));
  const isTried = !['superseded', 'skipped', 'wait'].includes(outcome);
  const tried: TriedChannel[] = [
    ...message.tried.filter((_, n) => n < message.channel),
    ...(isTried
      ? [
          {
            ...channel,
            outcome: outcome as TriedChannel['outcome'],
            attempts,
            error: ('error' in attempt && attempt.error) || null,
            at: iso(now),
          },
        ]
      : []),
  ];
  const disabled =
    outcome === 'gone'
      ? [...outbox.disabled, { channel: address, until: iso(now + DISABLED_MS) }]
      : outbox.disabled;
  const next = { ...outbox, disabled: disabled.filter(({ until }) => Date.parse(until) > now) };
  const finish = (status: AlertDelivery['status']): Settled => ({
    outbox: withoutMessage(next, name),
    status,
    channels: tried,
  });
  const isLast = message.channel + 1 >= channels;
  if (outcome === 'superseded') return finish(outcome);
  const left = 'left' in attempt ? (attempt.left ?? []) : [];
  const follow = (changes: Partial<UnfinishedMessage>): Settled => ({
    outbox: replace(next, { ...message, lease: null, tried, ...changes }),
    status: null,
    channels: tried,
  });
  const toNextChannel = { channel: message.channel + 1, attempts: 0, next_at: iso(now) };
  if (outcome === 'delivered') {
    if (isLast || left.length === 0) return finish(outcome);
    return follow({ ...toNextChannel, incidents: message.incidents.filter((id) => left.includes(id)) });
  }
  if (outcome === 'skipped') {
    if (!isLast) return follow(toNextChannel);
    return finish(tried.some((each) => each.outcome === 'delivered') ? 'delivered' : 'skipped');
  }
  if (outcome === 'wait') {
    const next_at = iso(now + Math.max(MIN_WAIT_MS, attempt.afterMs));
    return follow({ incidents: rest, attempts: 0, next_at });
  }
  const scheduled = RETRY_MS[attempts - 1];
  const wait = scheduled && scheduled * (1 + JITTER * jitter);
  const isRetried = outcome === 'retry' && wait !== undefined && (isLast || attempts < ATTEMPTS_BEFORE_NEXT);
  if (!isRetried && isLast) return finish('failed');
  const requested = 'retryAfterMs' in attempt ? (attempt.retryAfterMs ?? 0) : 0;
  if (!isRetried) return follow({ ...toNextChannel, incidents: rest });
  const waited = Math.max(wait, Math.min(requested, MAX_RETRY_AFTER_MS));
  return follow({ incidents: rest, attempts, next_at: iso(now + waited) });
}

export const withoutMessage = (outbox: Outbox, name: string): Outbox => ({
  ...outbox,
  unfinished: outbox.unfinished.filter((each) => each.name !== name),
});
