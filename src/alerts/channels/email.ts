import { isIP } from 'node:net';
import { promisify } from 'node:util';
import { z } from 'zod';
import { isMailAddress } from '../../config/alert-settings.js';
import { type MessageText, messageText } from '../../domain/alerts/message-text.js';
import type { AlertMessage } from '../../domain/alerts/plan-messages.js';
import { errno, errorMessage, MonitorError } from '../../domain/errors.js';
import { type Channel, channelKind, type Delivery, label, type SendResult } from './contract.js';
import type { Connection } from './http-post.js';

/** Mail clients cut subjects; RFC 5322, 2.1.1 allows 998 characters. Code points. */
const MAX_SUBJECT = 200;
const MAX_LINES = 100;
/** RFC 5322 limits a line to 998 characters. */
const MAX_REFERENCES = 10;

const escaped = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

function shownLines({ lines }: MessageText) {
  const left = lines.length - MAX_LINES;
  return { shown: lines.slice(0, MAX_LINES), more: left > 0 ? `… and ${left} more` : null };
}

export function mailText(text: MessageText): string {
  const { shown, more } = shownLines(text);
  const paragraphs = shown.map(({ headline, details, links }) =>
    [headline, ...details, ...links.map(({ label, url }) => `${label}: ${url}`)].join('\n'),
  );
  const links = text.links.map(({ label, url }) => `${label}: ${url}`);
  const title = text.lines.length === 1 && text.lines[0]?.headline === text.title ? [] : [text.title];
  const notes = text.notes.length > 0 ? [text.notes.join('\n')] : [];
  return [...title, ...paragraphs, ...(more ? [more] : []), ...notes, ...links].join('\n\n');
}

export function mailHtml(text: MessageText): string {
  const { shown, more } = shownLines(text);
  const anchors = (links: MessageText['links']) =>
    links.length === 0
      ? ''
      : `<p>${links.map(({ label, url }) => `<a href="${escaped(url)}">${label}</a>`).join(' · ')}</p>`;
  const isTitled = text.lines.length !== 1 || text.lines[0]?.headline !== text.title;
  return [
    '<!doctype html><html lang="en"><body>',
    ...(isTitled ? [`<p><strong>${escaped(text.title)}</strong></p>`] : []),
    ...shown.map(
      ({ headline, details, links }) =>
        `<p><strong>${escaped(headline)}</strong></p>${
          details.length > 0 ? `<ul>${details.map((line) => `<li>${escaped(line)}</li>`).join('')}</ul>` : ''
        }${anchors(links)}`,
    ),
    ...(more ? [`<p>${more}</p>`] : []),
    ...(text.notes.length > 0 ? [`<p>${text.notes.map(escaped).join('<br>')}</p>`] : []),
    anchors(text.links),
    '</body></html>',
  ].join('');
}

/** Mails about the same incident are one conversation: they refer to an id that only the incident determines. */
const threadId = (incident: string, domain: string): string => `<incident-${incident}@${domain}>`;

export interface MailSettings {
  /** `smtp:` or `smtps:`, with user and password. */
  readonly url: string;
  readonly from: string;
  readonly to: readonly string[];
}

/** The parts of a mail that nodemailer puts together. */
export function mailOf(id: string, message: AlertMessage, text: MessageText, { from, to }: MailSettings) {
  const domain = from.slice(from.lastIndexOf('@') + 1);
  const ids = [...new Set(message.lines.map(({ incident }) => incident.id))].slice(0, MAX_REFERENCES);
  const subject = [...text.title];
  return {
    from: { name: 'mlflow-monitor', address: from },
    to: to.map((address) => ({ name: '', address })),
    subject: subject.length > MAX_SUBJECT ? `${subject.slice(0, MAX_SUBJECT - 1).join('')}…` : text.title,
    messageId: `<${id}@${domain}>`,
    ...(ids.length > 0 ? { references: ids.map((incident) => threadId(incident, domain)) } : {}),
    text: mailText(text),
    html: mailHtml(text),
    // RFC 3834: no vacation replies.
    headers: { 'Auto-Submitted': 'auto-generated' },
  };
}

/** Mails by SMTP. A repeated attempt has the same `Message-ID`. */
class EmailChannel implements Channel {
  readonly type = 'email';

  constructor(
    readonly label: string,
    private readonly settings: MailSettings,
    private readonly connection: Connection,
  ) {}

  async send({ id, message, context }: Delivery): Promise<SendResult> {
    const { timeoutMs } = this.connection;
    let close = () => {};
    const timeout = new Promise<never>((_, reject) => {
      const error = new MonitorError('no_answer', `no answer within ${timeoutMs / 1000} s`, {}, true);
      const timer = setTimeout(() => reject(error), timeoutMs);
      close = () => clearTimeout(timer);
    });
    try {
      const sent = this.sendMail(mailOf(id, message, messageText(message, context), this.settings));
      const { rejected } = await Promise.race([sent, timeout]);
      if (rejected.length === 0) return { outcome: 'delivered' };
      return {
        outcome: 'delivered',
        error: `${rejected.length} of ${this.settings.to.length} recipients were rejected`,
      };
    } catch (error) {
      return describeFailure(error);
    } finally {
      close();
    }
  }

  private async sendMail(mail: ReturnType<typeof mailOf>) {
    const { hostname, port, protocol, username, password } = new URL(this.settings.url);
    const { timeoutMs } = this.connection;
    const secure = protocol === 'smtps:';
    const host = hostname.replace(/^\[(.*)\]$/, '$1');
    // nodemailer would resolve the name by itself: it gets the address that the guard has checked.
    const address = await this.addressOf(host);
    const { createTransport } = await import('nodemailer');
    const transport = createTransport({
      host: address,
      port: Number(port) || (secure ? 465 : 587),
      secure,
      ...(isIP(host) === 0 ? { tls: { servername: host } } : {}),
      // A password is never sent without encryption.
      requireTLS: !secure && username !== '',
      ...(username === ''
        ? {}
        : { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }),
      connectionTimeout: timeoutMs,
      greetingTimeout: timeoutMs,
      socketTimeout: timeoutMs,
      disableFileAccess: true,
      disableUrlAccess: true,
    });
    try {
      return await transport.sendMail(mail);
    } finally {
      transport.close();
    }
  }

  private async addressOf(host: string): Promise<string> {
    this.connection.guard.check(host);
    if (isIP(host) !== 0) return host;
    const found = await promisify<string, object, readonly { address: string }[]>((name, options, callback) =>
      this.connection.guard.lookup(name, options, (error, addresses) =>
        callback(error, typeof addresses === 'string' ? [{ address: addresses }] : addresses),
      ),
    )(host, { all: true });
    const [first] = found;
    if (!first) throw new MonitorError('no_answer', 'the name of the host cannot be resolved', {}, true);
    return first.address;
  }
}

/** Messages of nodemailer may contain the user name and the server's text. */
function describeFailure(error: unknown): SendResult {
  if (error instanceof MonitorError)
    return { outcome: error.retryable ? 'retry' : 'failed', error: errorMessage(error) };
  const { responseCode } = error as { responseCode?: unknown };
  const code = errno(error);
  if (typeof responseCode === 'number') {
    const what =
      code === 'EAUTH' ? 'the mail server refuses user or password' : 'the mail server refuses the mail';
    // RFC 5321, 4.2.1: 4xx is temporary, 5xx is permanent.
    return { outcome: responseCode >= 500 ? 'failed' : 'retry', error: `${what} (SMTP ${responseCode})` };
  }
  return { outcome: 'retry', error: `no connection to the mail server${code ? ` (${code})` : ''}` };
}

export const email = channelKind({
  type: 'email',
  settings: z.strictObject({
    type: z.literal('email'),
    label,
    to: z
      .array(z.string().refine(isMailAddress, 'expected an address such as ml@example.com'))
      .min(1)
      .max(50),
  }),
  problems: (_, __, { ALERT_SMTP_URL, ALERT_EMAIL_FROM }) => [
    ...(ALERT_SMTP_URL ? [] : ['ALERT_SMTP_URL is not set']),
    ...(ALERT_EMAIL_FROM ? [] : ['ALERT_EMAIL_FROM is not set']),
  ],
  open: (settings, _, { ALERT_SMTP_URL: url = '', ALERT_EMAIL_FROM: from = '' }, connection) => {
    const { to } = settings;
    return new EmailChannel(settings.label ?? to.join(', '), { url, from, to }, connection);
  },
  fromSettings: ({ ALERT_EMAIL_TO: to }) => (to ? { to } : undefined),
});
