import type { Channel, SendResult } from '../../../src/alerts/channels/contract.js';
import type { MessageLine } from '../../../src/domain/alerts/plan-messages.js';
import { NO_MEMORY } from '../../../src/state/alerts/channel-memory.js';
import {
  KEY,
  RECEIVER_TYPES,
  type Receiver,
  type ReceiverType,
  receiver,
  TOKEN,
} from '../../support/alert-receivers.js';
import { type Answer, answer, ScriptedServer } from '../../support/scripted-server.js';
import { CONTEXT, HOSTILE, hostileLine, line, message } from './messages.js';
import { CONNECTION, opened } from './opened.js';

const NOW = Date.parse('2026-11-28T10:00:05Z');
let server: ScriptedServer;
beforeAll(async () => {
  server = await ScriptedServer.start();
});
afterAll(() => server.close());
beforeEach(() => {
  server.received.length = 0;
});

function fake(type: ReceiverType, script?: Answer): { readonly to: Receiver; readonly channel: Channel } {
  const to = receiver(type, server.uri);
  server.script = [script ?? to.answer];
  return { to, channel: opened(to.settings, to.env) };
}
const send = (channel: Channel, lines: readonly MessageLine[], kind: 'alert' | 'digest' | 'test' = 'alert') =>
  channel.send({
    id: 'msg_store_1_default',
    message: { ...message(lines), kind },
    context: CONTEXT,
    memory: NO_MEMORY,
    now: NOW,
  });
const many = (count: number): MessageLine[] =>
  Array.from({ length: count }, (_, n) =>
    line({
      id: `id-${n}`,
      subject: { scope: 'metric', application: `${'&"'.repeat(25)}${n}`, metric: `m${n}`, item: null },
    }),
  );
const everyText = (value: unknown): string[] =>
  typeof value === 'string'
    ? [value]
    : typeof value === 'object' && value !== null
      ? Object.values(value).flatMap(everyText)
      : [];

describe.each(RECEIVER_TYPES)('%s', (type) => {
  test.each(HOSTILE)('accepts the name %j, which adds no line and no hidden character', async (text) => {
    const { to, channel } = fake(type);
    for (const lines of [[hostileLine(text)], [hostileLine(text), line()]]) {
      expect(await send(channel, lines)).toEqual({ outcome: 'delivered' });
    }
    expect(to.refused).toEqual([]);
    const printed = to.taken.join('');
    for (const hidden of ['\u202E', '\u2028', '\0', '\r']) expect(printed).not.toContain(hidden);
  });

  test.each([1, 90])('gets %i alerts within its limits', async (count) => {
    const { to, channel } = fake(type);
    const lines = many(count);
    const result = await send(channel, lines);
    expect(to.refused).toEqual([]);
    if (result.outcome !== 'wait') expect(result).toEqual({ outcome: 'delivered' });
    // What does not fit into an attempt follows: nobody is left out.
    else expect(new Set(result.taken).size).toBe(result.taken.length);
  });

  test('tells a test from an alert', async () => {
    const { to, channel } = fake(type);
    expect(await send(channel, [], 'test')).toEqual({ outcome: 'delivered' });
    expect(to.refused).toEqual([]);
    expect(server.received).toHaveLength(1);
    expect(to.taken.join()).not.toMatch(/trigger|CRITICAL/);
  });

  const cases: [string, Answer, Partial<SendResult>][] = [
    ['500', answer(500), { outcome: 'retry', error: 'HTTP 500' }],
    [
      '429',
      answer(429, '', { 'Retry-After': '30' }),
      { outcome: 'retry', error: 'HTTP 429', retryAfterMs: 30_000 },
    ],
    ['401', answer(401), { outcome: 'failed', error: 'HTTP 401' }],
    [
      'a redirect',
      answer(302, '', { Location: 'http://127.0.0.1:1/' }),
      { outcome: 'failed', error: 'HTTP 302' },
    ],
    [
      'a connection that is cut',
      (response) => void response.socket?.destroy(),
      { outcome: 'retry', error: 'the connection failed (ECONNRESET)' },
    ],
  ];
  test.each(cases)('answers %s', async (_, script, expected) => {
    const { channel } = fake(type, script);
    const result = await send(channel, [line()]);
    expect(result).toEqual(expected);
    expect(JSON.stringify(result)).not.toMatch(/hidden|127\.0\.0\.1/);
  });

  test('gets its secret in the request only', async () => {
    const { to, channel } = fake(type);
    await send(channel, [line()]);
    const [secret = ''] = Object.values(to.env);
    expect(channel.label).not.toContain('hidden');
    expect(JSON.stringify(server.received)).toContain(secret.replace(server.uri, ''));
    expect([KEY, TOKEN].some((each) => channel.label.includes(each))).toBe(false);
  });
});

test('Teams shows as many lines as fit, and counts the others', async () => {
  const { to, channel } = fake('teams');
  await send(channel, many(1_000));
  const shown = to.taken.filter((each) => each.startsWith('CRITICAL')).length - 1;
  expect(shown).toBeGreaterThan(50);
  expect(to.taken.at(-1)).toBe(`… and ${1_000 - shown} more`);
});

test('Teams gets text of others only where it knows no markup', async () => {
  const { channel } = fake('teams');
  await send(channel, [hostileLine('[click](https://evil.example) **bold** {{DATE(2026-01-01T00:00:00Z)}}')]);
  const card = JSON.parse(server.received[0]?.body ?? '').attachments[0].content;
  for (const { type } of card.body) expect(type).toBe('RichTextBlock');
  // Cards replace this by a date.
  expect(server.received[0]?.body).not.toContain('{{');
  for (const { url } of card.actions) expect(url).toMatch(/^https:\/\/(monitor|mlflow|wiki)\.example\.com\//);
});

test('Slack gets text of others in plain text, and no mention', async () => {
  const { channel } = fake('slack-bot');
  await send(channel, [hostileLine('<!channel>')]);
  const payload = JSON.parse(server.received[0]?.body ?? '');
  expect(everyText(payload).join()).not.toContain('<!channel>');
});

test('Slack says with 200 that it refuses a message', async () => {
  const refusals: [string, object][] = [
    ['ratelimited', { outcome: 'retry', error: 'Slack refuses: ratelimited' }],
    ['channel_not_found', { outcome: 'failed', error: 'Slack refuses: channel_not_found' }],
  ];
  for (const [error, expected] of refusals) {
    const { channel } = fake('slack-bot', answer(200, JSON.stringify({ ok: false, error })));
    expect(await send(channel, [line()])).toEqual(expected);
  }
  const { channel } = fake('slack-bot', answer(200, '<html>'));
  expect(await send(channel, [line()])).toMatchObject({ outcome: 'retry' });
});

test('GitHub gives the reason: inputs that the workflow does not declare', async () => {
  const text = JSON.stringify({ message: 'Unexpected inputs provided: ["metric"]' });
  const { channel } = fake('github', answer(422, text));
  const error = 'HTTP 422 (Unexpected inputs provided: ["metric"])';
  expect(await send(channel, [line()])).toEqual({ outcome: 'failed', error });
  const limited = fake('github', answer(403, '{}', { 'Retry-After': '60' }));
  expect(await send(limited.channel, [line()])).toMatchObject({ outcome: 'retry', retryAfterMs: 60_000 });
});

test.each(['pagerduty', 'alertmanager', 'github'] as const)('%s takes no digest', async (type) => {
  expect(await send(fake(type).channel, [line()], 'digest')).toEqual({ outcome: 'skipped' });
  expect(server.received).toEqual([]);
});

test('A server that does not answer is tried again', async () => {
  const to = receiver('pagerduty', server.uri);
  server.script = [() => undefined];
  const channel = opened(to.settings, to.env, { ...CONNECTION, timeoutMs: 100 });
  expect(await send(channel, [line()])).toEqual({ outcome: 'retry', error: 'no answer within 0.1 s' });
});
