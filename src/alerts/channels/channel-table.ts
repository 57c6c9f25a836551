import { alertmanager } from './alertmanager.js';
import { email } from './email.js';
import { github } from './github.js';
import { pagerduty } from './pagerduty.js';
import { slack } from './slack.js';
import { slackBot } from './slack-bot.js';
import { teams } from './teams.js';
import { webhook } from './webhook.js';

/** One row per type of channel: a new one is a file and a row. */
export const CHANNEL_KINDS = [
  slack,
  slackBot,
  teams,
  webhook,
  email,
  pagerduty,
  alertmanager,
  github,
] as const;

export const CHANNEL_TYPES: readonly string[] = CHANNEL_KINDS.map(({ type }) => type);
