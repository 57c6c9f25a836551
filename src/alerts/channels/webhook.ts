import { Webhook } from 'standardwebhooks';
import { z } from 'zod';
import { isWebhookSecret } from '../../config/alert-settings.js';
import { type MessageContext, messageText } from '../../domain/alerts/message-text.js';
import { noiseJson } from '../../domain/alerts/noise.js';
import type { AlertMessage } from '../../domain/alerts/plan-messages.js';
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

/** The specification recommends at most 20 kB. */
export const MAX_INCIDENTS = 15;

const TYPES = { alert: 'alerts.changed', digest: 'alerts.digest', test: 'alerts.test' } as const;

/** The JSON that a webhook receives; docs/alerts.md describes it. */
export function webhookPayload(message: AlertMessage, context: MessageContext) {
  const text = messageText(message, context);
  return {
    type: TYPES[message.kind],
    timestamp: message.at,
    data: {
      route: message.route,
      title: text.title,
      incidents: message.lines.slice(0, MAX_INCIDENTS).map(({ news, incident, held }, n) => ({
        news,
        held,
        id: incident.id,
        rule: incident.rule,
        ...incident.subject,
        severity: incident.severity,
        state: incident.state,
        since: incident.since,
        owner: incident.owner,
        value: incident.evidence.value,
        limit: incident.evidence.limit,
        unit: incident.evidence.unit,
        worst: incident.worst,
        cause: incident.evidence.cause,
        run_id: incident.evidence.run?.run_id ?? null,
        headline: text.lines[n]?.headline ?? text.title,
        details: text.lines[n]?.details ?? [],
        links: text.lines[n]?.links ?? [],
      })),
      more_incidents: Math.max(0, message.lines.length - MAX_INCIDENTS),
      ...(message.noise ? { noise: message.noise.map(noiseJson) } : {}),
    },
  };
}

/** A receiver of Standard Webhooks (https://github.com/standard-webhooks/standard-webhooks, version 1.0.0 of the specification). */
class WebhookChannel implements Channel {
  readonly type = 'webhook';
  private readonly signer: Webhook;

  constructor(
    readonly label: string,
    private readonly url: string,
    secret: string,
    private readonly connection: Connection,
  ) {
    this.signer = new Webhook(secret);
  }

  send({ id, message, context, now }: Delivery): Promise<SendResult> {
    const body = JSON.stringify(webhookPayload(message, context));
    const headers = {
      ...JSON_TYPE,
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(now / 1000)),
      'webhook-signature': this.signer.sign(id, new Date(now), body),
    };
    return attempt(this.connection, { url: this.url, headers, body }, ({ status, retryAfterMs }) => {
      if (status >= 200 && status < 300) return { outcome: 'delivered' };
      if (status === 410) return { outcome: 'gone', error: 'HTTP 410: the receiver wants no more messages' };
      const isRedirect = status >= 300 && status < 400;
      const error = `HTTP ${status}${isRedirect ? ': redirects are not followed, set the new address' : ''}`;
      return { outcome: 'retry', error, retryAfterMs };
    });
  }
}

export const webhook = channelKind({
  type: 'webhook',
  settings: z.strictObject({
    type: z.literal('webhook'),
    label,
    url_env: variable('ALERT_WEBHOOK_URL'),
    secret_env: variable('ALERT_WEBHOOK_SECRET'),
  }),
  problems: ({ url_env, secret_env }, env) => [
    ...urlProblems(url_env, env),
    ...(isWebhookSecret(variableOf(env, secret_env))
      ? []
      : [`${secret_env} is not whsec_ and 24 to 64 bytes in base64`]),
  ],
  open: (settings, env, _, connection) => {
    const url = variableOf(env, settings.url_env);
    const secret = variableOf(env, settings.secret_env);
    return new WebhookChannel(settings.label ?? new URL(url).hostname, url, secret, connection);
  },
  fromSettings: ({ ALERT_WEBHOOK_URL }) => (ALERT_WEBHOOK_URL ? {} : undefined),
});
