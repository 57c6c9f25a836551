import { createHash } from 'node:crypto';
import { isWebhookSecret } from '../../config/alert-settings.js';
import { type Environment, mlflowUiOf, type Settings } from '../../config/settings.js';
import type { MessageContext } from '../../domain/alerts/message-text.js';
import { createAddressGuard } from './address-guard.js';
import { ATTEMPT_MS, type Channel, type ChannelSettings, type ChannelType } from './contract.js';
import { EmailChannel } from './email.js';
import type { Connection } from './http-post.js';
import { SlackChannel } from './slack.js';
import { WebhookChannel } from './webhook.js';

type Of<T extends ChannelType> = Extract<ChannelSettings, { readonly type: T }>;

interface ChannelKind<T extends ChannelType> {
  /** What is missing or wrong; never contains a secret. */
  problems(settings: Of<T>, env: Environment, service: Settings): string[];
  /** Call it only without problems. */
  open(settings: Of<T>, env: Environment, service: Settings, connection: Connection): Channel;
}

function urlProblems(name: string, env: Environment): string[] {
  const url = env[name]?.trim();
  if (!url) return [`${name} is not set`];
  const isWeb = URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
  return isWeb ? [] : [`${name} is not an http or https address`];
}
const variableOf = (env: Environment, name: string): string => env[name]?.trim() ?? '';
const hostOf = (url: string): string => new URL(url).hostname;

/** One row per type of channel. */
const KINDS: { readonly [T in ChannelType]: ChannelKind<T> } = {
  slack: {
    problems: ({ url_env }, env) => urlProblems(url_env, env),
    open: ({ label, url_env }, env, _, connection) =>
      new SlackChannel(label ?? 'Slack', variableOf(env, url_env), connection),
  },
  webhook: {
    problems: ({ url_env, secret_env }, env) => [
      ...urlProblems(url_env, env),
      ...(isWebhookSecret(variableOf(env, secret_env))
        ? []
        : [`${secret_env} is not whsec_ and 24 to 64 bytes in base64`]),
    ],
    open: ({ label, url_env, secret_env }, env, _, connection) => {
      const url = variableOf(env, url_env);
      return new WebhookChannel(label ?? hostOf(url), url, variableOf(env, secret_env), connection);
    },
  },
  email: {
    problems: (_, __, { ALERT_SMTP_URL, ALERT_EMAIL_FROM }) => [
      ...(ALERT_SMTP_URL ? [] : ['ALERT_SMTP_URL is not set']),
      ...(ALERT_EMAIL_FROM ? [] : ['ALERT_EMAIL_FROM is not set']),
    ],
    open: ({ label, to }, _, { ALERT_SMTP_URL: url = '', ALERT_EMAIL_FROM: from = '' }, connection) =>
      new EmailChannel(label ?? to.join(', '), { url, from, to }, connection),
  },
};

const kindOf = (settings: ChannelSettings) => KINDS[settings.type] as ChannelKind<ChannelType>;

/** The variables that channels may name: those of the environment, and the settings of this service as it uses them. */
export const channelEnvironment = (settings: Settings, env: Environment = process.env): Environment => ({
  ...env,
  ALERT_SLACK_WEBHOOK_URL: settings.ALERT_SLACK_WEBHOOK_URL,
  ALERT_WEBHOOK_URL: settings.ALERT_WEBHOOK_URL,
  ALERT_WEBHOOK_SECRET: settings.ALERT_WEBHOOK_SECRET,
});

/** What messages need of the settings. @param zone IANA name of a time zone */
export function messageContext(settings: Settings, zone: string): MessageContext {
  const publicUrl = settings.PUBLIC_URL?.replace(/\/+$/, '');
  return { publicUrl: publicUrl ?? null, mlflowUrl: mlflowUiOf(settings), zone };
}

/** What is wrong with a channel in this environment, such as `SLACK_FRAUD_URL is not set`. */
export const channelProblems = (channel: ChannelSettings, env: Environment, settings: Settings): string[] =>
  kindOf(channel).problems(channel, env, settings);

/** @returns `undefined` if the channel has problems */
export function openChannel(
  channel: ChannelSettings,
  env: Environment,
  settings: Settings,
  connection: Connection = {
    guard: createAddressGuard(settings.ALERT_ALLOW_PRIVATE_ADDRESSES),
    timeoutMs: ATTEMPT_MS,
  },
): Channel | undefined {
  if (channelProblems(channel, env, settings).length > 0) return undefined;
  return kindOf(channel).open(channel, env, settings, connection);
}

const DIGEST_DIGITS = 16;

/** A digest of where a channel sends: equal as long as the address is. The address itself may be secret. */
export function addressDigest(channel: ChannelSettings, env: Environment): string {
  const { label: _, ...settings } = channel;
  const where = 'url_env' in settings ? variableOf(env, settings.url_env) : settings;
  const text = JSON.stringify([channel.type, where]);
  return createHash('sha256').update(text).digest('hex').slice(0, DIGEST_DIGITS);
}
