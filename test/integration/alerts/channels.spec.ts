import { Webhook } from 'standardwebhooks';
import { createAddressGuard } from '../../../src/alerts/channels/address-guard.js';
import type { Channel, SendResult } from '../../../src/alerts/channels/contract.js';
import { NO_MEMORY } from '../../../src/state/alerts/channel-memory.js';
import { MailServer } from '../../support/mail-server.js';
import { type Answer, answer, ScriptedServer } from '../../support/scripted-server.js';
import { slackMessageSchema } from '../../support/slack-schema.js';
import { CONTEXT, HOSTILE, hostileLine, message } from './messages.js';
import { CONNECTION, opened } from './opened.js';

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const NOW = Date.now();
const send = (channel: Channel, lines?: Parameters<typeof message>[0]): Promise<SendResult> =>
  channel.send({
    id: 'msg_store_1_default',
    message: message(lines),
    context: CONTEXT,
    memory: NO_MEMORY,
    now: NOW,
  });

let server: ScriptedServer;
beforeEach(async () => {
  server = await ScriptedServer.start();
});
afterEach(() => server.close());

const slack = (connection = CONNECTION, url = `${server.uri}/services/T0/B0/secret`) =>
  opened({ type: 'slack' }, { ALERT_SLACK_WEBHOOK_URL: url }, connection);
const webhook = (connection = CONNECTION, url = `${server.uri}/hook?token=secret`) =>
  opened({ type: 'webhook' }, { ALERT_WEBHOOK_URL: url, ALERT_WEBHOOK_SECRET: SECRET }, connection);

const emailTo = (url: string, connection = CONNECTION) =>
  opened({ type: 'email', to: ['ml@example.com'] }, {}, connection, {
    ALERT_SMTP_URL: url,
    ALERT_EMAIL_FROM: 'monitor@example.com',
  });

test('Slack gets a message that its published schema accepts', async () => {
  server.script = [answer(200, 'ok')];
  expect(await send(slack())).toEqual({ outcome: 'delivered' });
  expect(slackMessageSchema.safeParse(JSON.parse(server.received[0]?.body ?? '')).error).toBeUndefined();
  expect(server.received[0]?.headers['content-type']).toMatch(/^application\/json/);
});

test('A webhook gets a message with a signature that the reference library verifies, with one id for all attempts', async () => {
  server.script = [answer(500), answer(200)];
  await send(webhook());
  expect(await send(webhook())).toEqual({ outcome: 'delivered' });
  const [first, second] = server.received;
  for (const { headers, body } of server.received) {
    expect(new Webhook(SECRET).verify(body, headers as Record<string, string>)).toMatchObject({
      type: 'alerts.changed',
      timestamp: '2026-11-28T10:00:00.000Z',
      data: { incidents: [{ news: 'fired', application: 'fraud-scoring', value: 0.78 }], more_incidents: 0 },
    });
  }
  expect(first?.headers['webhook-id']).toBe('msg_store_1_default');
  expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
});

test.each(HOSTILE)('A webhook gets the name %j as JSON that the signature covers', async (text) => {
  server.script = [answer(204)];
  await send(webhook(), [hostileLine(text)]);
  const { body, headers } = server.received[0] ?? { body: '', headers: {} };
  const verified = new Webhook(SECRET).verify(body, headers as Record<string, string>);
  expect(verified).toMatchObject({ data: { incidents: [{ application: text }] } });
});

test('A webhook message about many incidents stays below the recommended 20 kB and counts the others', async () => {
  server.script = [answer(204)];
  await send(
    webhook(),
    Array.from({ length: 40 }, () => hostileLine('<!channel>')),
  );
  const body = server.received[0]?.body ?? '';
  expect(Buffer.byteLength(body)).toBeLessThan(20_000);
  expect(JSON.parse(body)).toMatchObject({ data: { more_incidents: 25 } });
});

describe('what an answer means', () => {
  const cut: Answer = (response) => void response.socket?.destroy();
  const cutBody: Answer = (response) => {
    response.writeHead(200, { 'Content-Length': 100 });
    response.write('half', () => response.socket?.destroy());
  };
  const endless: Answer = (response) => {
    response.writeHead(500);
    const timer = setInterval(() => response.write('x'.repeat(1_000)), 1);
    response.on('close', () => clearInterval(timer));
  };
  const retry = (error: string) => ({ outcome: 'retry', error });
  const failed = (error: string) => ({ outcome: 'failed', error });
  const cases: [name: string, Answer, forSlack: object, forWebhook: object][] = [
    ['500', answer(500), retry('HTTP 500'), retry('HTTP 500')],
    ['a body without an end', endless, retry('HTTP 500'), retry('HTTP 500')],
    [
      '429 with Retry-After',
      answer(429, '', { 'Retry-After': '30' }),
      { ...retry('HTTP 429'), retryAfterMs: 30_000 },
      { ...retry('HTTP 429'), retryAfterMs: 30_000 },
    ],
    [
      'a connection that is cut',
      cut,
      retry('the connection failed (ECONNRESET)'),
      retry('the connection failed (ECONNRESET)'),
    ],
    ['200 with a body that is cut', cutBody, { outcome: 'delivered' }, { outcome: 'delivered' }],
    ['404', answer(404, 'no_service'), failed('HTTP 404 (no_service)'), retry('HTTP 404')],
    ['400', answer(400, 'invalid_blocks'), failed('HTTP 400 (invalid_blocks)'), retry('HTTP 400')],
    [
      '410',
      answer(410, 'channel_is_archived'),
      failed('HTTP 410 (channel_is_archived)'),
      { outcome: 'gone', error: expect.stringContaining('HTTP 410') },
    ],
    [
      'a redirect',
      answer(302, '', { Location: 'http://127.0.0.1:1/' }),
      failed('HTTP 302'),
      retry('HTTP 302: redirects are not followed, set the new address'),
    ],
  ];
  test.each(cases)('%s', async (_, script, forSlack, forWebhook) => {
    server.script = [script];
    expect(await send(slack())).toEqual(forSlack);
    expect(await send(webhook())).toEqual(forWebhook);
    expect(server.received).toHaveLength(2);
  });

  test('no answer', async () => {
    server.script = [() => undefined];
    const short = { ...CONNECTION, timeoutMs: 100 };
    const error = 'no answer within 0.1 s';
    expect(await send(slack(short))).toEqual({ outcome: 'retry', error });
    expect(await send(webhook(short))).toEqual({ outcome: 'retry', error });
  });

  test('no server', async () => {
    const url = server.uri;
    await server.close();
    const result = await send(webhook(CONNECTION, url));
    server = await ScriptedServer.start();
    expect(result).toEqual({ outcome: 'retry', error: 'the connection failed (ECONNREFUSED)' });
  });
});

test.each(['127.0.0.1', 'localhost', '[::1]'])(
  'Private addresses are refused before a connection: %s',
  async (host) => {
    const guarded = { ...CONNECTION, guard: createAddressGuard(false) };
    const url = server.uri.replace('127.0.0.1', host);
    const mail = emailTo(url.replace('http', 'smtp'), guarded);
    for (const channel of [slack(guarded, url), webhook(guarded, url), mail]) {
      const result = await send(channel);
      expect(result).toEqual({
        outcome: 'failed',
        error: expect.stringContaining('ALERT_ALLOW_PRIVATE_ADDRESSES'),
      });
    }
    expect(server.received).toEqual([]);
  },
);

test('No error contains the address', async () => {
  server.script = [answer(500, 'secret'), (response) => void response.socket?.destroy()];
  const results = [await send(webhook()), await send(webhook()), await send(slack())];
  expect(JSON.stringify(results)).not.toMatch(/secret|127\.0\.0\.1|T0/);
});

describe('mail', () => {
  let mails: MailServer;
  afterEach(() => mails.close());
  const email = (url = mails.url, connection = CONNECTION) => emailTo(url, connection);

  test('has the first line as subject, an id that is the same for each attempt, and the incident as its conversation', async () => {
    mails = await MailServer.start();
    expect(await send(email())).toEqual({ outcome: 'delivered' });
    await send(email());
    for (const mail of mails.mails) {
      expect(mail).toMatch(/^Message-ID: <msg_store_1_default@example\.com>\r$/m);
      expect(mail).toMatch(/^References: <incident-e3b0c44298fc1c14@example\.com>\r$/m);
      expect(mail).toMatch(/^Auto-Submitted: auto-generated\r$/m);
      expect(mail).toContain('Content-Type: text/plain');
      expect(mail).toContain('Content-Type: text/html');
    }
    expect(mails.mails).toHaveLength(2);
  });

  test.each(HOSTILE)('shows the name %j as text and adds no header', async (text) => {
    mails = await MailServer.start();
    await send(email(), [hostileLine(text)]);
    const [mail = ''] = mails.mails;
    const headers = mail.slice(0, mail.indexOf('\r\n\r\n'));
    expect(headers).not.toMatch(/^Bcc:/im);
    expect(headers.match(/^(To|From|Subject|Message-ID):/gim)).toHaveLength(4);
    const html = mail.slice(mail.indexOf('text/html'));
    expect(html).not.toMatch(/<(script|img|!channel)|onmouseover=3D"/i);
  });

  test.each([
    [550, { outcome: 'failed', error: 'the mail server refuses the mail (SMTP 550)' }],
    [450, { outcome: 'retry', error: 'the mail server refuses the mail (SMTP 450)' }],
  ])('is refused with %i', async (responseCode, expected) => {
    mails = await MailServer.start({
      onRcptTo: (_, __, callback) => callback(Object.assign(new Error('monitor@secret'), { responseCode })),
    });
    expect(await send(email())).toEqual(expected);
  });

  test('sends no password without encryption', async () => {
    mails = await MailServer.start({
      disabledCommands: ['STARTTLS'],
      onAuth: (_, __, callback) => callback(null, { user: 'x' }),
    });
    const result = await send(email(mails.url.replace('smtp://', 'smtp://user:secret@')));
    expect(result.outcome).not.toBe('delivered');
    expect(JSON.stringify(result)).not.toContain('secret');
  });

  test('to a server that does not answer is tried again', async () => {
    mails = await MailServer.start({ onConnect: () => undefined });
    const error = 'no answer within 0.2 s';
    expect(await send(email(mails.url, { ...CONNECTION, timeoutMs: 200 }))).toEqual({
      outcome: 'retry',
      error,
    });
  });
});
