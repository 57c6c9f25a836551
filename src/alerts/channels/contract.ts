import { z } from 'zod';
import { isMailAddress } from '../../config/alert-settings.js';
import type { MessageContext } from '../../domain/alerts/message-text.js';
import type { AlertMessage } from '../../domain/alerts/plan-messages.js';

export const CHANNEL_TYPES = ['slack', 'webhook', 'email'] as const;
export type ChannelType = (typeof CHANNEL_TYPES)[number];

/** The name of an environment variable: addresses with secrets are not in the file. */
const variable = (by: string) =>
  z
    .string()
    .regex(/^[A-Z][A-Z0-9_]{0,99}$/, 'expected the name of an environment variable, such as SLACK_FRAUD_URL')
    .default(by);
/** How people call the channel: `#ml-fraud`. */
const label = z
  .string()
  .regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]{1,60}$/u, 'expected 1 to 60 printable characters')
  .optional();

/** A channel in `alerts.yaml`. */
export const channelSchema = z.discriminatedUnion(
  'type',
  [
    z.strictObject({ type: z.literal('slack'), label, url_env: variable('ALERT_SLACK_WEBHOOK_URL') }),
    z.strictObject({
      type: z.literal('webhook'),
      label,
      url_env: variable('ALERT_WEBHOOK_URL'),
      secret_env: variable('ALERT_WEBHOOK_SECRET'),
    }),
    z.strictObject({
      type: z.literal('email'),
      label,
      to: z
        .array(z.string().refine(isMailAddress, 'expected an address such as ml@example.com'))
        .min(1)
        .max(50),
    }),
  ],
  { error: `expected a channel with type: ${CHANNEL_TYPES.join(', ')}` },
);
export type ChannelSettings = z.infer<typeof channelSchema>;

/** What a channel sends. */
export interface Delivery {
  /** Equal for every attempt; letters, digits, `_` and `-`. */
  readonly id: string;
  readonly message: AlertMessage;
  readonly context: MessageContext;
  /** ms */
  readonly now: number;
}

/**
 * `retry`: a later attempt may succeed · `failed`: no attempt will · `gone`: the receiver wants no more messages. Errors name
 * no address.
 */
export type SendResult =
  /** `error`: what went wrong although it was delivered, such as a recipient that was rejected. */
  | { readonly outcome: 'delivered'; readonly error?: string }
  | { readonly outcome: 'retry'; readonly error: string; readonly retryAfterMs?: number | undefined }
  | { readonly outcome: 'failed' | 'gone'; readonly error: string };

export interface Channel {
  readonly type: ChannelType;
  /** For people; names no secret. */
  readonly label: string;
  /** Makes one attempt. Never throws; ends within `ATTEMPT_MS`. */
  send(delivery: Delivery): Promise<SendResult>;
}

/** Time limit of an attempt, ms. Standard Webhooks recommends 15 to 30 s. */
export const ATTEMPT_MS = 15_000;
