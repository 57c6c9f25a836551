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
import { attempt, JSON_TYPE } from './http-attempt.js';
import type { Connection } from './http-post.js';

/**
 * A message has at most about 28 KB (https://learn.microsoft.com/connectors/teams, "Message size limitation"); callers were
 * refused from 21 kB on. Bytes of JSON.
 */
export const TEAMS_BYTES = 20_000;
/** Teams shows at most six actions of a card. */
const MAX_ACTIONS = 6;

interface TextRun {
  readonly type: 'TextRun';
  readonly text: string;
  readonly weight?: 'bolder';
}
interface RichTextBlock {
  readonly type: 'RichTextBlock';
  readonly inlines: readonly TextRun[];
  readonly separator?: true;
}

/** Cards replace `{{DATE(…)}}` and `{{TIME(…)}}` in texts. */
const inert = (text: string): string => text.replaceAll('{{', '{ {');

/**
 * Text of others is only in a RichTextBlock, which knows no Markdown
 * (https://learn.microsoft.com/adaptive-cards/authoring-cards/text-features).
 */
const block = (
  text: string,
  more: { readonly weight?: 'bolder'; readonly separator?: true } = {},
): RichTextBlock => {
  const { weight, separator } = more;
  return {
    type: 'RichTextBlock',
    inlines: [{ type: 'TextRun', text: inert(text), ...(weight ? { weight } : {}) }],
    ...(separator ? { separator } : {}),
  };
};

const actionsOf = ({ lines, links }: MessageText) =>
  [...lines.flatMap((line) => line.links), ...links]
    .slice(0, MAX_ACTIONS)
    .map(({ label: title, url }) => ({ type: 'Action.OpenUrl' as const, title, url }));

function cardOf(text: MessageText, shown: number) {
  const { title, lines, notes } = text;
  const [only] = lines;
  const left = lines.length - shown;
  const body =
    lines.length <= 1
      ? [
          block(only?.headline ?? title, { weight: 'bolder' }),
          ...(only?.details ?? []).map((line) => block(line)),
        ]
      : [
          block(title, { weight: 'bolder' }),
          ...lines.slice(0, shown).map(({ headline }) => block(headline, { separator: true })),
          ...(left > 0 ? [block(`… and ${left} more`)] : []),
        ];
  const actions = actionsOf(text);
  return {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json' as const,
    type: 'AdaptiveCard' as const,
    // The first version with RichTextBlock.
    version: '1.2' as const,
    // It may be shown as Markdown, so it has no text of others.
    fallbackText: 'An alert of mlflow-monitor. This version of Teams cannot show it.',
    body: [...body, ...notes.map((note) => block(note))],
    ...(actions.length > 0 ? { actions } : {}),
    msteams: { width: 'Full' as const },
  };
}

const envelopeOf = (content: ReturnType<typeof cardOf>) => ({
  type: 'message' as const,
  attachments: [
    { contentType: 'application/vnd.microsoft.card.adaptive' as const, contentUrl: null, content },
  ],
});
const sizeOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

/** The JSON that a workflow of Teams takes, with as many lines as fit. */
export function teamsPayload(text: MessageText) {
  const all = envelopeOf(cardOf(text, text.lines.length));
  if (sizeOf(all) <= TEAMS_BYTES) return all;
  let room = TEAMS_BYTES - sizeOf(envelopeOf(cardOf(text, 0)));
  const fits = text.lines.findIndex(({ headline }) => {
    room -= sizeOf(block(headline, { separator: true })) + 1;
    return room < 0;
  });
  return envelopeOf(cardOf(text, Math.max(0, fits)));
}

/**
 * A workflow of Teams that starts "when a webhook request is received"
 * (https://support.microsoft.com/office/create-incoming-webhooks-with-workflows-for-microsoft-teams). It knows no message
 * ids: a repeated attempt may show a message twice.
 */
class TeamsChannel implements Channel {
  readonly type = 'teams';

  constructor(
    readonly label: string,
    private readonly url: string,
    private readonly connection: Connection,
  ) {}

  send({ message, context }: Delivery): Promise<SendResult> {
    const body = JSON.stringify(teamsPayload(messageText(message, context)));
    // More than four requests a second are answered with 429.
    return attempt(this.connection, { url: this.url, headers: JSON_TYPE, body });
  }
}

export const teams = channelKind({
  type: 'teams',
  settings: z.strictObject({ type: z.literal('teams'), label, url_env: variable('ALERT_TEAMS_WEBHOOK_URL') }),
  problems: ({ url_env }, env) => urlProblems(url_env, env),
  open: (settings, env, _, connection) =>
    new TeamsChannel(settings.label ?? 'Teams', variableOf(env, settings.url_env), connection),
  fromSettings: ({ ALERT_TEAMS_WEBHOOK_URL }) => (ALERT_TEAMS_WEBHOOK_URL ? {} : undefined),
});
