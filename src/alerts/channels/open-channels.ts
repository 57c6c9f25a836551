import { createHash } from 'node:crypto';
import { z } from 'zod';
import { alertSettings } from '../../config/alert-settings.js';
import { type Environment, mlflowUiOf, type Settings } from '../../config/settings.js';
import type { MessageContext } from '../../domain/alerts/message-text.js';
import { createAddressGuard } from './address-guard.js';
import { CHANNEL_KINDS, CHANNEL_TYPES } from './channel-table.js';
import { ATTEMPT_MS, type Channel, type ChannelKind, variableOf } from './contract.js';
import type { Connection } from './http-post.js';

type Row = (typeof CHANNEL_KINDS)[number];

const [first, ...others] = CHANNEL_KINDS.map(({ settings }): Row['settings'] => settings);
/** A channel in `alerts.yaml`. */
export const channelSchema = z.discriminatedUnion('type', [first as Row['settings'], ...others], {
  error: `expected a channel with type: ${CHANNEL_TYPES.join(', ')}`,
});
export type ChannelSettings = z.output<typeof channelSchema>;

/** The row of a channel. */
export function kindOf({ type }: Pick<ChannelSettings, 'type'>): ChannelKind {
  const kind: unknown = CHANNEL_KINDS.find((each) => each.type === type);
  // Each row gets only settings that its own schema has parsed.
  return kind as ChannelKind;
}

/** The variables that channels may name: those of the environment, and the settings of alerts as this service uses them. */
export const channelEnvironment = (settings: Settings, env: Environment = process.env): Environment => ({
  ...env,
  ...Object.fromEntries(
    Object.keys(alertSettings).map((name) => {
      const value: unknown = settings[name as keyof typeof alertSettings];
      return [name, typeof value === 'string' ? value : undefined];
    }),
  ),
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
  const resolved = ([key, value]: [string, unknown]) =>
    key.endsWith('_env') ? variableOf(env, String(value)) : value;
  const where =
    'url_env' in settings ? variableOf(env, settings.url_env) : Object.entries(settings).map(resolved);
  const text = JSON.stringify([channel.type, where]);
  return createHash('sha256').update(text).digest('hex').slice(0, DIGEST_DIGITS);
}
