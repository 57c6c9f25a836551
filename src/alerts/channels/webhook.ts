import { Webhook } from 'standardwebhooks';
import { type MessageContext, messageText } from '../../domain/alerts/message-text.js';
import type { AlertMessage } from '../../domain/alerts/plan-messages.js';
import { errorMessage, MonitorError } from '../../domain/errors.js';
import type { Channel, Delivery, SendResult } from './contract.js';
import { type Connection, sendRequest } from './http-post.js';

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
    },
  };
}

/** A receiver of Standard Webhooks (https://github.com/standard-webhooks/standard-webhooks, version 1.0.0 of the specification). */
export class WebhookChannel implements Channel {
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

  async send({ id, message, context, now }: Delivery): Promise<SendResult> {
    try {
      const body = JSON.stringify(webhookPayload(message, context));
      const at = new Date(now);
      const headers = {
        'Content-Type': 'application/json; charset=utf-8',
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(now / 1000)),
        'webhook-signature': this.signer.sign(id, at, body),
      };
      const { status, retryAfterMs } = await sendRequest(this.connection, { url: this.url, headers, body });
      if (status >= 200 && status < 300) return { outcome: 'delivered' };
      if (status === 410) return { outcome: 'gone', error: 'HTTP 410: the receiver wants no more messages' };
      const isRedirect = status >= 300 && status < 400;
      const error = `HTTP ${status}${isRedirect ? ': redirects are not followed, set the new address' : ''}`;
      return { outcome: 'retry', error, retryAfterMs };
    } catch (error) {
      const retryable = !(error instanceof MonitorError) || error.retryable;
      return { outcome: retryable ? 'retry' : 'failed', error: errorMessage(error) };
    }
  }
}
