import { z } from 'zod';
import { type AlertNews } from '../../domain/alerts/first-line.js';
import { ALERT_SEVERITIES } from '../../domain/alerts/incident.js';
import { type MessageContext, messageText } from '../../domain/alerts/message-text.js';
import { plainText } from '../../domain/alerts/plain-text.js';
import type { MessageLine } from '../../domain/alerts/plan-messages.js';
import { errorMessage } from '../../domain/errors.js';
import { incidentPath } from '../../domain/page-paths.js';
import {
  apiUrl,
  type Channel,
  channelKind,
  type Delivery,
  label,
  type SendResult,
  variable,
  variableOf,
} from './contract.js';
import { Cooldown, cooldownMinutes } from './cooldown.js';
import { attempt, JSON_TYPE, sendInTurn } from './http-attempt.js';
import type { Connection } from './http-post.js';

/** https://developer.pagerduty.com/docs/events-api-v2/trigger-events, code points. */
const MAX_SUMMARY = 1_024;
/** PagerDuty takes 120 events a minute of an integration: an attempt makes half of them, and the rest follows. */
const EVENTS_PER_ATTEMPT = 60;
const PAUSE_MS = 60_000;

const ACTIONS: Readonly<Record<AlertNews, 'trigger' | 'resolve'>> = {
  fired: 'trigger',
  repeated: 'trigger',
  no_data: 'trigger',
  recovered: 'resolve',
  corrected: 'resolve',
  ended: 'resolve',
};

/** The incident of the event in PagerDuty: equal for all that is said about an incident. */
const dedupKey = (id: string): string => `mlflow-monitor/${id}`;

/** The JSON of one event. @param at ISO 8601, when the message was made */
export function pagerdutyEvent(key: string, line: MessageLine, at: string, context: MessageContext) {
  const { incident, news } = line;
  const event = { routing_key: key, event_action: ACTIONS[news], dedup_key: dedupKey(incident.id) };
  if (event.event_action === 'resolve') return event;
  const [text] = messageText({ route: '', kind: 'alert', at, lines: [line] }, context).lines;
  const { publicUrl } = context;
  const { application, metric } = incident.subject;
  return {
    ...event,
    client: 'mlflow-monitor',
    ...(publicUrl === null ? {} : { client_url: `${publicUrl}/${incidentPath(incident.id)}` }),
    links: (text?.links ?? []).map(({ label: name, url }) => ({ href: url, text: name })),
    payload: {
      summary: plainText(text?.headline ?? '', MAX_SUMMARY),
      source: publicUrl === null ? 'mlflow-monitor' : new URL(publicUrl).host,
      severity: incident.severity,
      timestamp: incident.since,
      class: incident.rule,
      ...(application === null ? {} : { group: plainText(application, MAX_SUMMARY) }),
      ...(metric === null ? {} : { component: plainText(metric, MAX_SUMMARY) }),
      custom_details: {
        value: incident.evidence.value,
        limit: incident.evidence.limit,
        unit: incident.evidence.unit,
        owner: incident.owner,
        details: text?.details ?? [],
      },
    },
  };
}

interface PagerdutySettings {
  readonly url: string;
  readonly key: string;
  readonly severity: (typeof ALERT_SEVERITIES)[number];
  readonly cooldownMinutes: number;
}

/** The Events API v2. An event that is repeated changes nothing: it has the same `dedup_key`. */
class PagerdutyChannel implements Channel {
  readonly type = 'pagerduty';

  constructor(
    readonly label: string,
    private readonly settings: PagerdutySettings,
    private readonly connection: Connection,
  ) {}

  async send({ message, context, memory, now }: Delivery): Promise<SendResult> {
    const { key, url, severity } = this.settings;
    if (message.kind === 'digest') return { outcome: 'skipped' };
    const post = (event: object) =>
      attempt(this.connection, { url, headers: JSON_TYPE, body: JSON.stringify(event) });
    // A test is an event that resolves nothing: the key and the connection are tried, and nobody is woken.
    if (message.kind === 'test')
      return post({ routing_key: key, event_action: 'resolve', dedup_key: dedupKey('test') });
    const floor = ALERT_SEVERITIES.indexOf(severity);
    const [own, left] = [true, false].map((fits) =>
      message.lines.filter(({ incident }) => ALERT_SEVERITIES.indexOf(incident.severity) <= floor === fits),
    ) as [MessageLine[], MessageLine[]];
    if (own.length === 0) return { outcome: 'skipped' };
    try {
      const cooldown = await Cooldown.read(memory, this.settings.cooldownMinutes, now);
      const waitOf = ({ news, incident }: MessageLine) =>
        ACTIONS[news] === 'trigger' ? cooldown.waitOf(incident.key, incident.id) : 0;
      const waiting = own.map(waitOf).filter((ms) => ms > 0);
      const result = await sendInTurn({
        items: own.filter((line) => waitOf(line) === 0),
        idsOf: ({ incident }) => [incident.id],
        send: async (line) => {
          const sent = await post(pagerdutyEvent(key, line, message.at, context));
          if (sent.outcome === 'delivered' && ACTIONS[line.news] === 'trigger')
            await cooldown.started(line.incident.key, line.incident.id);
          return sent;
        },
        limit: EVENTS_PER_ATTEMPT,
        pauseMs: PAUSE_MS,
      });
      if (result.outcome !== 'delivered') return result;
      if (waiting.length > 0) {
        const taken = own.filter((line) => waitOf(line) === 0).map(({ incident }) => incident.id);
        return { outcome: 'wait', afterMs: Math.min(...waiting), taken };
      }
      return left.length > 0 ? { ...result, left: left.map(({ incident }) => incident.id) } : result;
    } catch (error) {
      return { outcome: 'retry', error: errorMessage(error) };
    }
  }
}

const ROUTING_KEY = /^[A-Za-z0-9]{32}$/;

export const pagerduty = channelKind({
  type: 'pagerduty',
  digest: false,
  ends: true,
  settings: z.strictObject({
    type: z.literal('pagerduty'),
    label,
    key_env: variable('ALERT_PAGERDUTY_ROUTING_KEY'),
    /** The least severe incidents that it gets. */
    severity: z.enum(ALERT_SEVERITIES).default('warning'),
    cooldown_minutes: cooldownMinutes(0),
    api_url: apiUrl('https://events.pagerduty.com'),
  }),
  problems: ({ key_env }, env) => {
    const key = variableOf(env, key_env);
    if (!key) return [`${key_env} is not set`];
    return ROUTING_KEY.test(key) ? [] : [`${key_env} is not an integration key of 32 letters and digits`];
  },
  open: ({ label: name, key_env, severity, cooldown_minutes, api_url }, env, _, connection) =>
    new PagerdutyChannel(
      name ?? 'PagerDuty',
      {
        url: `${api_url.replace(/\/+$/, '')}/v2/enqueue`,
        key: variableOf(env, key_env),
        severity,
        cooldownMinutes: cooldown_minutes,
      },
      connection,
    ),
  fromSettings: ({ ALERT_PAGERDUTY_ROUTING_KEY }) => (ALERT_PAGERDUTY_ROUTING_KEY ? {} : undefined),
});
