import { z } from 'zod';
import type { Environment, Settings } from '../../config/settings.js';
import type { CurrentAlerts } from '../../domain/alerts/current-alerts.js';
import type { MessageContext } from '../../domain/alerts/message-text.js';
import type { AlertMessage } from '../../domain/alerts/plan-messages.js';
import type { Connection } from './http-post.js';

/** The name of an environment variable: secrets are not in the file. */
export const variable = (by: string) =>
  z
    .string()
    .regex(/^[A-Z][A-Z0-9_]{0,99}$/, 'expected the name of an environment variable, such as SLACK_FRAUD_URL')
    .default(by);
/** How people call the channel: `#ml-fraud`. */
export const label = z
  .string()
  .regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]{1,60}$/u, 'expected 1 to 60 printable characters')
  .optional();
/** The address of an API, which is no secret. */
export const apiUrl = (by: string) =>
  z.url({ protocol: /^https?$/, error: 'expected an http or https address' }).default(by);

/** What a channel remembers between messages, as JSON. Kept in the store, by route and position. */
export interface ChannelMemory {
  read(): Promise<ReadonlyMap<string, unknown>>;
  /** @param until when the value is forgotten, ms */
  write(values: Readonly<Record<string, unknown>>, until: number): Promise<void>;
}

/** What a channel sends. */
export interface Delivery {
  /** Equal for every attempt; letters, digits, `_` and `-`. */
  readonly id: string;
  readonly message: AlertMessage;
  readonly context: MessageContext;
  readonly memory: ChannelMemory;
  /** ms */
  readonly now: number;
}

/**
 * `retry`: a later attempt may succeed · `failed`: no attempt will · `gone`: the receiver wants no more messages · `wait`:
 * the rest is sent later, which is no failure · `skipped`: the channel is not meant for such messages. Errors name no
 * address. `taken`: the ids of the incidents that the receiver has; later attempts leave them out.
 */
export type SendResult =
  | {
      readonly outcome: 'delivered';
      /** What went wrong although it was delivered, such as a recipient that was rejected. */
      readonly error?: string;
      /** The ids of incidents that the channel is not meant for: the next channel of the route gets them. */
      readonly left?: readonly string[];
    }
  | {
      readonly outcome: 'retry';
      readonly error: string;
      readonly retryAfterMs?: number | undefined;
      readonly taken?: readonly string[];
    }
  | { readonly outcome: 'failed' | 'gone'; readonly error: string; readonly taken?: readonly string[] }
  | { readonly outcome: 'wait'; readonly afterMs: number; readonly taken: readonly string[] }
  | { readonly outcome: 'skipped' };

export interface Channel {
  readonly type: string;
  /** For people; names no secret. */
  readonly label: string;
  /** Makes one attempt. Never throws; ends within the lease of a message. */
  send(delivery: Delivery): Promise<SendResult>;
  /** Sends the state again. Called each minute. Never throws. */
  resend?(state: CurrentAlerts, context: MessageContext, now: number): Promise<SendResult>;
}

type SettingsSchema = z.ZodType<{ readonly type: string }>;

/** A type of channel: all that routes, `validate`, `alerts test` and delivery need to know. One row of the table. */
export interface ChannelKind<T extends string = string, S extends SettingsSchema = SettingsSchema> {
  readonly type: T;
  /** A channel of this type in `alerts.yaml`. */
  readonly settings: S;
  /** Whether it takes the daily digest. */
  readonly digest: boolean;
  /** Whether its receiver keeps incidents open until they are closed: it also gets ends that cause no message to people. */
  readonly ends: boolean;
  /** Whether it needs the state each minute. */
  readonly resent: boolean;
  /** What is missing or wrong; never contains a secret. */
  problems(settings: z.output<S>, env: Environment, service: Settings): string[];
  /** Call it only without problems. */
  open(settings: z.output<S>, env: Environment, service: Settings, connection: Connection): Channel;
  /** The channel that settings of the service alone make, in the form of `alerts.yaml`. */
  fromSettings?(service: Settings): Readonly<Record<string, unknown>> | undefined;
}

/** Infers the types of a row. By default it takes digests, and needs neither ends nor the state. */
export const channelKind = <const T extends string, S extends SettingsSchema>(
  kind: Omit<ChannelKind<T, S>, 'digest' | 'ends' | 'resent'> &
    Partial<Pick<ChannelKind<T, S>, 'digest' | 'ends' | 'resent'>>,
): ChannelKind<T, S> => ({ digest: true, ends: false, resent: false, ...kind });

/** The value of an environment variable, without spaces around it. */
export const variableOf = (env: Environment, name: string): string => env[name]?.trim() ?? '';

/** What is wrong with a variable that must hold a web address. */
export function urlProblems(name: string, env: Environment): string[] {
  const url = variableOf(env, name);
  if (!url) return [`${name} is not set`];
  const isWeb = URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
  return isWeb ? [] : [`${name} is not an http or https address`];
}

/** What is wrong with a variable that must hold a token. It becomes a header, so it must be printable. */
export function tokenProblems(name: string, env: Environment): string[] {
  const token = variableOf(env, name);
  if (!token) return [`${name} is not set`];
  return /^[\x21-\x7E]{1,1000}$/.test(token) ? [] : [`${name} contains a character that a token cannot have`];
}

/** Time limit of a request, ms. Standard Webhooks recommends 15 to 30 s. */
export const ATTEMPT_MS = 15_000;
