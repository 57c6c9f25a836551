import { z } from 'zod';
import { type MessageText, messageText } from '../../domain/alerts/message-text.js';
import {
  type Channel,
  channelKind,
  type Delivery,
  label,
  type SendResult,
  urlProblems,
  variable,
  variableOf,
} from './contract.js';
import { attempt, JSON_TYPE, statusMeaning } from './http-attempt.js';
import type { Connection } from './http-post.js';

/**
 * Limits of Block Kit. A message has at most 50 blocks, a text object 3000 characters
 * (https://docs.slack.dev/reference/block-kit/blocks and …/composition-objects/text-object). The limit of all blocks together
 * is not documented: 13,172 characters were refused as `msg_blocks_too_long` (slackapi/bolt-js, issue 2509).
 */
export const SLACK_LIMITS = { blocks: 50, text: 3_000, all: 12_000 } as const;
/** What is left for links and the last line. */
const RESERVED = 2_000;

/** Slack's three control characters (https://docs.slack.dev/messaging/formatting-message-text): makes `<!channel>` and links inert. */
const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

type Block =
  | { readonly type: 'section'; readonly text: PlainText | MarkdownText }
  | { readonly type: 'divider' };
interface PlainText {
  readonly type: 'plain_text';
  readonly text: string;
  readonly emoji: false;
}
/** `verbatim`: Slack makes no links and mentions of what looks like one. */
interface MarkdownText {
  readonly type: 'mrkdwn';
  readonly text: string;
  readonly verbatim: true;
}

export interface SlackPayload {
  /** The notification. */
  readonly text: string;
  readonly blocks: readonly Block[];
  readonly unfurl_links: false;
  readonly unfurl_media: false;
}

/** Names of others are only in plain text, in which Slack knows no markup. */
export function slackPayload(text: MessageText): SlackPayload {
  return {
    text: escaped(text.title),
    blocks: [...textBlocks(text), ...linkBlocks(text)],
    unfurl_links: false,
    unfurl_media: false,
  };
}

const section = (text: string): Block => ({
  type: 'section',
  text: { type: 'plain_text', text, emoji: false },
});

function textBlocks({ title, lines, notes }: MessageText): Block[] {
  const [only] = lines;
  if (lines.length <= 1) {
    const details = [...(only?.details ?? []), ...notes].map(escaped);
    return [section(escaped(only?.headline ?? title)), ...packed(details).map(section)];
  }
  const after = notes.map(escaped);
  const reserved = RESERVED + after.join('\n').length;
  const { shown, left } = withinLimit(
    lines.map(({ headline }) => `• ${escaped(headline)}`),
    reserved,
  );
  const more = left > 0 ? [`… and ${left} more`] : [];
  return [section(escaped(title)), ...packed([...shown, ...more, ...after]).map(section)];
}

/** As many lines as fit into a message. */
function withinLimit(
  lines: readonly string[],
  reserved: number,
): { readonly shown: string[]; readonly left: number } {
  const shown: string[] = [];
  let length = 0;
  for (const line of lines) {
    length += line.length + 1;
    if (length > SLACK_LIMITS.all - reserved) break;
    shown.push(line);
  }
  return { shown, left: lines.length - shown.length };
}

/** Joins lines to texts of at most the allowed length. A single line is always shorter. */
function packed(lines: readonly string[]): string[] {
  const texts: string[] = [];
  for (const line of lines) {
    const last = texts.at(-1);
    if (last !== undefined && last.length + 1 + line.length <= SLACK_LIMITS.text)
      texts[texts.length - 1] = `${last}\n${line}`;
    else texts.push(line);
  }
  return texts;
}

function linkBlocks({ lines, links }: MessageText): Block[] {
  const all = [...lines.flatMap((line) => line.links), ...links].map(
    // `|` ends the address of a link.
    ({ label, url }) => `<${escaped(url).replaceAll('|', '%7C')}|${label}>`,
  );
  return packed(all.filter((each) => each.length <= SLACK_LIMITS.text)).map((text) => ({
    type: 'section',
    text: { type: 'mrkdwn', text: text.replaceAll('\n', '  ·  '), verbatim: true },
  }));
}

/** An incoming webhook of Slack. It knows no message ids: a repeated attempt may show a message twice. */
class SlackChannel implements Channel {
  readonly type = 'slack';

  constructor(
    readonly label: string,
    private readonly url: string,
    private readonly connection: Connection,
  ) {}

  send({ message, context }: Delivery): Promise<SendResult> {
    const body = JSON.stringify(slackPayload(messageText(message, context)));
    // A status that is not retried is about the webhook or the channel: no_service, channel_is_archived, invalid_payload
    // (https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks).
    return attempt(this.connection, { url: this.url, headers: JSON_TYPE, body }, (answer) =>
      statusMeaning(answer, /^[a-z_]{1,60}$/.exec(answer.body.trim())?.[0]),
    );
  }
}

export const slack = channelKind({
  type: 'slack',
  settings: z.strictObject({ type: z.literal('slack'), label, url_env: variable('ALERT_SLACK_WEBHOOK_URL') }),
  problems: ({ url_env }, env) => urlProblems(url_env, env),
  open: (settings, env, _, connection) =>
    new SlackChannel(settings.label ?? 'Slack', variableOf(env, settings.url_env), connection),
  fromSettings: ({ ALERT_SLACK_WEBHOOK_URL }) => (ALERT_SLACK_WEBHOOK_URL ? {} : undefined),
});
