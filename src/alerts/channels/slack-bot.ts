import { z } from 'zod';
import { type MessageText, messageText } from '../../domain/alerts/message-text.js';
import type { AlertMessage, MessageLine } from '../../domain/alerts/plan-messages.js';
import { errorMessage } from '../../domain/errors.js';
import { groupBy } from '../../domain/group-by.js';
import { MS_PER_DAY } from '../../domain/time.js';
import {
  apiUrl,
  type Channel,
  type ChannelMemory,
  channelKind,
  type Delivery,
  label,
  type SendResult,
  tokenProblems,
  variable,
  variableOf,
} from './contract.js';
import { attempt, JSON_TYPE, sendInTurn, statusMeaning } from './http-attempt.js';
import type { Connection } from './http-post.js';
import { slackPayload } from './slack.js';

/** The answer contains the message. */
const ANSWER_BYTES = 256 * 1024;
/** Slack takes about one message a second per channel, and short bursts (https://docs.slack.dev/apis/web-api/rate-limits). */
const THREADS_PER_ATTEMPT = 8;
const PAUSE_MS = 10_000;
/** Longer than an incident is repeated without a change. */
const REMEMBER_MS = 35 * MS_PER_DAY;

/** A first message: where it is, and the newest headline of each of its incidents. */
const threadSchema = z.object({
  channel: z.string(),
  ts: z.string(),
  lines: z.array(z.object({ incident: z.string(), headline: z.string() })),
});
type Thread = z.infer<typeof threadSchema>;
const threadKey = ({ ts }: Pick<Thread, 'ts'>): string => `thread ${ts}`;

const answerSchema = z.object({
  ok: z.boolean(),
  error: z.string().optional(),
  channel: z.string().optional(),
  ts: z.string().optional(),
});
type Answer = z.infer<typeof answerSchema>;

/** Errors that pass (https://docs.slack.dev/reference/methods/chat.postMessage); all others are about settings. */
const TEMPORARY = [
  'ratelimited',
  'rate_limited',
  'internal_error',
  'fatal_error',
  'service_unavailable',
  'request_timeout',
];
/** Somebody has deleted the first message. */
const GONE = ['thread_not_found', 'message_not_found', 'invalid_thread_ts'];

/**
 * A bot of Slack: the first message about an incident opens a thread, later ones are replies, and the first message always
 * shows the newest state. Slack knows no message ids: a repeated attempt may show a message twice.
 */
class SlackBotChannel implements Channel {
  readonly type = 'slack-bot';

  constructor(
    readonly label: string,
    private readonly settings: { readonly apiUrl: string; readonly token: string; readonly channel: string },
    private readonly connection: Connection,
  ) {}

  async send({ message, context, memory, now }: Delivery): Promise<SendResult> {
    if (message.kind !== 'alert') return (await this.post(messageText(message, context))).result;
    try {
      const threads = await threadsOf(memory);
      const groups = [...groupBy(message.lines, ({ incident }) => threads.get(incident.id))];
      return await sendInTurn({
        items: groups,
        idsOf: ([, lines]) => lines.map(({ incident }) => incident.id),
        send: ([thread, lines]) => {
          const part = { ...message, lines };
          return thread
            ? this.reply(thread, part, { context, memory, now })
            : this.open(part, { context, memory, now });
        },
        limit: THREADS_PER_ATTEMPT,
        pauseMs: PAUSE_MS,
      });
    } catch (error) {
      return { outcome: 'retry', error: errorMessage(error) };
    }
  }

  private async open(
    message: AlertMessage,
    { context, memory, now }: Pick<Delivery, 'context' | 'memory' | 'now'>,
  ): Promise<SendResult> {
    const text = messageText(message, context);
    const { result, answer } = await this.post(text);
    const { channel, ts } = answer ?? {};
    if (result.outcome !== 'delivered' || channel === undefined || ts === undefined) return result;
    const thread = { channel, ts, lines: headlines(message.lines, text) };
    await memory.write({ [threadKey(thread)]: thread }, now + REMEMBER_MS);
    return result;
  }

  private async reply(
    thread: Thread,
    message: AlertMessage,
    options: Pick<Delivery, 'context' | 'memory' | 'now'>,
  ): Promise<SendResult> {
    const { context, memory, now } = options;
    const text = messageText(message, context);
    // Readers of the channel see what still needs them; a recovery is shown by the first message.
    const isShown = message.lines.some(({ news }) => news === 'fired' || news === 'repeated');
    const more = { thread_ts: thread.ts, ...(isShown ? { reply_broadcast: true } : {}) };
    const { result, answer } = await this.post(text, more);
    if (answer?.error !== undefined && GONE.includes(answer.error)) {
      await memory.write({ [threadKey(thread)]: null }, now);
      return this.open(message, options);
    }
    if (result.outcome !== 'delivered') return result;
    const newest = new Map(headlines(message.lines, text).map((line) => [line.incident, line]));
    const lines = thread.lines.map((line) => newest.get(line.incident) ?? line);
    await memory.write({ [threadKey(thread)]: { ...thread, lines } }, now + REMEMBER_MS);
    const shown = lines.length === 1 ? text : overviewOf(lines, text.links);
    const updated = await this.call('chat.update', {
      channel: thread.channel,
      ts: thread.ts,
      ...slackPayload(shown),
    });
    // The news is delivered; only the first message may be out of date.
    if (updated.result.outcome === 'delivered') return result;
    const reason = 'error' in updated.result ? updated.result.error : '';
    return { outcome: 'delivered', error: `the first message was not updated: ${reason}` };
  }

  private post(text: MessageText, more: Readonly<Record<string, unknown>> = {}) {
    return this.call('chat.postMessage', { channel: this.settings.channel, ...slackPayload(text), ...more });
  }

  private async call(
    method: 'chat.postMessage' | 'chat.update',
    body: object,
  ): Promise<{ readonly result: SendResult; readonly answer: Answer | undefined }> {
    const { apiUrl: url, token } = this.settings;
    let answer: Answer | undefined;
    const request = {
      url: `${url}/${method}`,
      headers: { ...JSON_TYPE, Authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
      readBytes: ANSWER_BYTES,
    };
    const result = await attempt(this.connection, request, (response) => {
      const meaning = statusMeaning(response);
      if (meaning.outcome !== 'delivered') return meaning;
      answer = parsed(response.body);
      if (answer?.ok) return meaning;
      const reason = /^[a-z_]{1,60}$/.exec(answer?.error ?? '')?.[0];
      const error = reason ? `Slack refuses: ${reason}` : 'Slack gave an answer that is not understood';
      const isTemporary = reason === undefined || TEMPORARY.includes(reason);
      return isTemporary
        ? { outcome: 'retry', error, retryAfterMs: response.retryAfterMs }
        : { outcome: 'failed', error };
    });
    return { result, answer };
  }
}

function parsed(body: string): Answer | undefined {
  try {
    return answerSchema.parse(JSON.parse(body));
  } catch {
    return undefined;
  }
}

/** The thread of each incident, by its id. */
async function threadsOf(memory: ChannelMemory): Promise<Map<string, Thread>> {
  const threads = [...(await memory.read()).values()].flatMap((value) => {
    const { data } = threadSchema.safeParse(value);
    return data ? [data] : [];
  });
  return new Map(threads.flatMap((thread) => thread.lines.map(({ incident }) => [incident, thread])));
}

const headlines = (lines: readonly MessageLine[], text: MessageText): Thread['lines'] =>
  lines.map(({ incident }, n) => ({
    incident: incident.id,
    headline: text.lines[n]?.headline ?? text.title,
  }));

/** A first message of several incidents, as they are now. */
function overviewOf(lines: Thread['lines'], links: MessageText['links']): MessageText {
  const [first] = lines;
  return {
    title: `${first?.headline ?? ''} · and ${lines.length - 1} more`,
    lines: lines.map(({ headline }) => ({ headline, details: [], links: [] })),
    links,
    notes: [],
  };
}

export const slackBot = channelKind({
  type: 'slack-bot',
  settings: z.strictObject({
    type: z.literal('slack-bot'),
    label,
    channel: z
      .string()
      .regex(/^#?[\p{L}\p{N}_-]{1,80}$/u, 'expected a channel, such as C0123456789 or #ml-alerts'),
    token_env: variable('ALERT_SLACK_TOKEN'),
    api_url: apiUrl('https://slack.com/api'),
  }),
  problems: ({ token_env }, env) => tokenProblems(token_env, env),
  open: (settings, env, _, connection) =>
    new SlackBotChannel(
      settings.label ?? settings.channel,
      {
        apiUrl: settings.api_url.replace(/\/+$/, ''),
        token: variableOf(env, settings.token_env),
        channel: settings.channel,
      },
      connection,
    ),
});
