import { createAddressGuard } from '../../../src/alerts/channels/address-guard.js';
import type { Channel } from '../../../src/alerts/channels/contract.js';
import type { Connection } from '../../../src/alerts/channels/http-post.js';
import { channelSchema, openChannel } from '../../../src/alerts/channels/open-channels.js';
import type { Environment, Settings } from '../../../src/config/settings.js';

export const CONNECTION: Connection = { guard: createAddressGuard(true), timeoutMs: 5_000 };

/** A channel as `alerts.yaml` and the environment set it up. */
export function opened(
  settings: Readonly<Record<string, unknown>>,
  env: Environment,
  connection: Connection = CONNECTION,
  service: Partial<Settings> = {},
): Channel {
  const channel = openChannel(channelSchema.parse(settings), env, service as Settings, connection);
  if (!channel) throw new Error(`The channel ${String(settings.type)} is not set up`);
  return channel;
}
