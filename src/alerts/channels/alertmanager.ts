import { z } from 'zod';
import type { CurrentAlerts } from '../../domain/alerts/current-alerts.js';
import type { AlertNews } from '../../domain/alerts/first-line.js';
import type { AlertIncident } from '../../domain/alerts/incident.js';
import { type MessageContext, messageText } from '../../domain/alerts/message-text.js';
import { incidentPath } from '../../domain/page-paths.js';
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
import { attempt, JSON_TYPE, sendInTurn } from './http-attempt.js';
import type { Connection } from './http-post.js';

/** How long an alert fires in Alertmanager unless it is sent again, ms: five times the minute between two resends. */
export const FIRES_FOR_MS = 5 * 60_000;
/** Alerts per request. Alertmanager sets no limit. */
const BATCH = 100;
const MAX_BATCHES = 50;

const ENDED: readonly AlertNews[] = ['recovered', 'corrected', 'ended'];

/** One alert as Alertmanager takes it (api/v2/openapi.yaml, `postableAlert`). Times are ISO 8601. */
export interface PostableAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly generatorURL?: string;
}

/** What identifies an alert: nothing that changes while it fires. Alertmanager ignores empty labels. */
function labelsOf({ rule, subject, severity, owner }: AlertIncident): Record<string, string> {
  const { scope, application, metric, item } = subject;
  const labels = {
    alertname: rule,
    source: 'mlflow-monitor',
    severity,
    scope,
    application,
    metric,
    item,
    owner,
  };
  return Object.fromEntries(
    Object.entries(labels).filter((each): each is [string, string] => Boolean(each[1])),
  );
}

/** @param at when the message was made, ISO 8601 @param endsAt ISO 8601 */
function postable(
  incident: AlertIncident,
  news: AlertNews,
  at: string,
  endsAt: string,
  context: MessageContext,
): PostableAlert {
  const lines = [{ news, incident, held: null }];
  const [text] = messageText({ route: '', kind: 'alert', at, lines }, context).lines;
  const runbook = text?.links.find((link) => link.label === 'Runbook');
  const { publicUrl } = context;
  const startsAt = incident.fired_at ?? incident.since;
  return {
    labels: labelsOf(incident),
    annotations: {
      summary: text?.headline ?? '',
      description: text?.details.join('\n') ?? '',
      incident: incident.id,
      ...(runbook ? { runbook_url: runbook.url } : {}),
    },
    startsAt,
    // Alertmanager refuses an end before the start.
    endsAt: endsAt < startsAt ? startsAt : endsAt,
    ...(publicUrl === null ? {} : { generatorURL: `${publicUrl}/${incidentPath(incident.id)}` }),
  };
}

const firesUntil = (now: number): string => new Date(now + FIRES_FOR_MS).toISOString();

/** The API v2 of Alertmanager. It keeps one alert per set of labels, so that a repeated attempt changes nothing. */
class AlertmanagerChannel implements Channel {
  readonly type = 'alertmanager';

  constructor(
    readonly label: string,
    private readonly url: string,
    private readonly connection: Connection,
  ) {}

  async send({ message, context, now }: Delivery): Promise<SendResult> {
    if (message.kind === 'digest') return { outcome: 'skipped' };
    // An empty list is accepted, and alerts nobody.
    if (message.kind === 'test') return this.post([]);
    const { at, lines } = message;
    const alerts = lines.map(({ news, incident }) =>
      postable(incident, news, at, ENDED.includes(news) ? at : firesUntil(now), context),
    );
    return this.postAll(alerts, (n) => lines[n]?.incident.id ?? '');
  }

  resend({ firing, ended }: CurrentAlerts, context: MessageContext, now: number): Promise<SendResult> {
    const at = new Date(now).toISOString();
    return this.postAll([
      ...firing.map((incident) => postable(incident, 'fired', at, firesUntil(now), context)),
      ...ended.map((each) => postable(each.incident, 'ended', each.at, each.at, context)),
    ]);
  }

  private postAll(alerts: readonly PostableAlert[], idOf?: (n: number) => string): Promise<SendResult> {
    const starts = Array.from({ length: Math.ceil(alerts.length / BATCH) }, (_, n) => n * BATCH);
    return sendInTurn({
      items: starts,
      idsOf: (start) => alerts.slice(start, start + BATCH).flatMap((_, n) => (idOf ? [idOf(start + n)] : [])),
      send: (start) => this.post(alerts.slice(start, start + BATCH)),
      limit: MAX_BATCHES,
      pauseMs: 1_000,
    });
  }

  private post(alerts: readonly PostableAlert[]): Promise<SendResult> {
    return attempt(this.connection, { url: this.url, headers: JSON_TYPE, body: JSON.stringify(alerts) });
  }
}

export const alertmanager = channelKind({
  type: 'alertmanager',
  digest: false,
  ends: true,
  resent: true,
  settings: z.strictObject({
    type: z.literal('alertmanager'),
    label,
    url_env: variable('ALERT_ALERTMANAGER_URL'),
  }),
  problems: ({ url_env }, env) => urlProblems(url_env, env),
  open: (settings, env, _, connection) => {
    const url = new URL(variableOf(env, settings.url_env));
    url.pathname = `${url.pathname.replace(/\/+$/, '')}/api/v2/alerts`;
    return new AlertmanagerChannel(settings.label ?? 'Alertmanager', url.href, connection);
  },
  fromSettings: ({ ALERT_ALERTMANAGER_URL }) => (ALERT_ALERTMANAGER_URL ? {} : undefined),
});
