import { evaluationKey } from '../../../src/state/alerts/evaluations.js';
import { readDeliveries, readOutbox } from '../../../src/state/alerts/outbox.js';
import { reportedErrors } from '../../support/reported-errors.js';
import { answer, ScriptedServer } from '../../support/scripted-server.js';
import { incident } from '../../unit/domain/alerts/incidents.js';
import { byId, channelTo, evaluation, Installation } from './delivery-fixture.js';

/** The signatures of messages have the time of the attempt, which receivers compare with theirs. */
const now = () => Date.now();

const reported = reportedErrors();

let server: ScriptedServer;
let other: ScriptedServer;
let installation: Installation;
beforeEach(async () => {
  [server, other] = [await ScriptedServer.start(), await ScriptedServer.start()];
  server.script = [answer(204)];
  other.script = [answer(204)];
  installation = new Installation({
    default: [channelTo(`${server.uri}/?secret`, 'first'), channelTo(`${other.uri}/?secret`, 'second')],
  });
  installation.now = now();
});
afterEach(() => Promise.all([server.close(), other.close()]));

const [A, B] = [incident({ id: 'a' }), incident({ id: 'b' })];
const news = (of: ScriptedServer) => [...byId(of.received).values()].map((each) => each.news.join());
const statuses = async () =>
  (await readDeliveries(installation.store, 100)).map(({ status }) => status).reverse();

test('A message is sealed, delivered once and recorded', async () => {
  const process = installation.process();
  await installation.evaluate(evaluation(1, [['fired', A]]));
  await process.notifier.sweep();
  await process.notifier.sweep();
  await installation.work(process);
  await process.notifier.sweep();
  await installation.work(process);
  expect([...byId(server.received)]).toEqual([
    [
      expect.stringMatching(/^msg_[a-z0-9]+_0000000001_default_alert$/),
      expect.objectContaining({ times: 1, news: ['a fired'] }),
    ],
  ]);
  expect((await readOutbox(installation.store)).unfinished).toEqual([]);
  expect(await readDeliveries(installation.store, 10)).toMatchObject([
    {
      status: 'delivered',
      incidents: ['a'],
      channels: [{ channel: 'first', type: 'webhook', attempts: 1, error: null }],
    },
  ]);
});

test('Neither the queue nor the store contains an address', async () => {
  const process = installation.process();
  server.script = [answer(500)];
  await installation.evaluate(evaluation(1, [['fired', A]]));
  await process.notifier.sweep();
  await installation.work(process);
  const stored =
    [...installation.store.objects.values()].join() + JSON.stringify([...installation.queue.jobs]);
  expect(stored + installation.logged.join()).not.toMatch(/127\.0\.0\.1|secret/);
  expect(stored).toContain('HTTP 500');
});

test('An attempt that failed is repeated with the same id as scheduled, then the next channel is tried', async () => {
  const process = installation.process();
  server.script = [answer(500)];
  await installation.evaluate(evaluation(1, [['fired', A]]));
  await process.notifier.sweep();
  const sent: number[] = [];
  for (const wait of [0, 4_999, 1, 299_999, 1]) {
    installation.now += wait;
    await installation.work(process);
    sent.push(server.received.length);
  }
  expect(sent).toEqual([1, 1, 2, 2, 3]);
  expect(new Set(server.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  expect(other.received.map(({ headers }) => headers['webhook-id'])).toEqual([
    server.received[0]?.headers['webhook-id'],
  ]);
  expect((await readDeliveries(installation.store, 1))[0]).toMatchObject({
    status: 'delivered',
    channels: [
      { channel: 'first', outcome: 'retry', attempts: 3, error: 'HTTP 500' },
      { channel: 'second', outcome: 'delivered', attempts: 1 },
    ],
  });
});

test('Retry-After makes the wait longer, never shorter', async () => {
  const process = installation.process();
  server.script = [answer(429, '', { 'Retry-After': '3600' })];
  await installation.evaluate(evaluation(1, [['fired', A]]));
  await process.notifier.sweep();
  await installation.work(process);
  const [waiting] = (await readOutbox(installation.store)).unfinished;
  expect(Date.parse(waiting?.next_at ?? '') - installation.now).toBeGreaterThan(3_590_000);
});

test('A message that no channel takes ends as failed after all attempts, and later ones are tried again', async () => {
  const process = installation.process();
  server.script = [answer(500)];
  other.script = [answer(500)];
  await installation.evaluate(evaluation(1, [['fired', A]]));
  await process.notifier.sweep();
  for (let hour = 0; hour < 100; hour++) {
    await installation.work(process);
    installation.now += 3_600_000;
  }
  expect(await statuses()).toEqual(['failed']);
  expect([server.received.length, other.received.length]).toEqual([3, 10]);
  expect(reported.at(-1)).toContain('it is not delivered');
});

test('410 disables a channel: its messages go to the next one', async () => {
  const process = installation.process();
  server.script = [answer(410)];
  for (const sequence of [1, 2]) {
    await installation.evaluate(evaluation(sequence, [['fired', incident({ id: `i${sequence}` })]]));
    await process.notifier.sweep();
    await installation.work(process);
  }
  expect(server.received).toHaveLength(1);
  expect(news(other)).toEqual(['i1 fired', 'i2 fired']);
});

test('A channel that 410 has disabled works again as soon as it has another address', async () => {
  const process = installation.process();
  server.script = [answer(410), answer(204)];
  const fire = async (sequence: number) => {
    await installation.evaluate(evaluation(sequence, [['fired', incident({ id: `i${sequence}` })]]));
    await process.notifier.sweep();
    await installation.work(process);
  };
  await fire(1);
  installation.channels.default = [channelTo(`${server.uri}/?new`, 'new'), channelTo(other.uri, 'second')];
  await fire(2);
  expect(news(other)).toEqual(['i1 fired']);
  expect(news(server)).toEqual(['i1 fired', 'i2 fired']);
});

test('A retry is later by up to a fifth of its wait, at random', async () => {
  const process = installation.process();
  installation.random = 0.5;
  server.script = [answer(500)];
  await installation.evaluate(evaluation(1, [['fired', A]]));
  await process.notifier.sweep();
  await installation.work(process);
  const [waiting] = (await readOutbox(installation.store)).unfinished;
  expect(Date.parse(waiting?.next_at ?? '') - installation.now).toBe(5_500);
});

test('A later state replaces what was not sent yet', async () => {
  const process = installation.process();
  await installation.evaluate(
    evaluation(1, [
      ['fired', A],
      ['fired', B],
    ]),
  );
  await process.notifier.sweep();
  await installation.evaluate(evaluation(2, [['recovered', A]]));
  await process.notifier.sweep();
  await installation.work(process);
  expect(news(server)).toEqual(['b fired', 'a recovered']);
  await installation.evaluate(evaluation(3, [['fired', A]]));
  await process.notifier.sweep();
  await installation.evaluate(evaluation(4, [['recovered', A]]));
  await process.notifier.sweep();
  await installation.work(process);
  expect(news(server).slice(2)).toEqual(['a recovered']);
  expect(await statuses()).toEqual(['delivered', 'delivered', 'superseded', 'delivered']);
});

test('A message waits until the one before it on its route is sent', async () => {
  const [first, second] = [installation.process(), installation.process()];
  let release = (): void => undefined;
  const arrived = new Promise<void>((resolve) => {
    server.script = [
      (response) => {
        release = () => void response.writeHead(204).end();
        resolve();
      },
      answer(204),
    ];
  });
  await installation.evaluate(evaluation(1, [['fired', A]]));
  await first.notifier.sweep();
  const sending = installation.work(first);
  await arrived;
  await installation.evaluate(evaluation(2, [['recovered', A]]));
  await second.notifier.sweep();
  await installation.work(second);
  expect(server.received).toHaveLength(1);
  release();
  await sending;
  await installation.work(second);
  expect(news(server)).toEqual(['a fired', 'a recovered']);
});

test('What the queue lost is enqueued again', async () => {
  const process = installation.process();
  await installation.evaluate(evaluation(1, [['fired', A]]));
  await process.notifier.sweep();
  installation.queue.flush();
  await process.notifier.sweep();
  await installation.work(process);
  expect(news(server)).toEqual(['a fired']);
});

test('Two schedulers and two workers deliver each message once', async () => {
  const [first, second] = [installation.process(), installation.process()];
  for (let sequence = 1; sequence <= 20; sequence++)
    await installation.evaluate(evaluation(sequence, [['fired', incident({ id: `i${sequence}` })]]));
  await Promise.all([first.notifier.sweep(), second.notifier.sweep()]);
  await Promise.all([installation.work(first), installation.work(second)]);
  const messages = byId(server.received);
  expect(messages.size).toBe(20);
  expect([...messages.values()].every(({ times }) => times === 1)).toBe(true);
});

test('Messages of evaluations that are not kept any more are deleted, unless they are unfinished', async () => {
  const process = installation.process();
  await installation.evaluate(evaluation(1, [['fired', A]]));
  await process.notifier.sweep();
  await installation.work(process);
  await installation.evaluate(evaluation(2, [['fired', B]]));
  await process.notifier.sweep();
  await installation.evaluate(evaluation(3, []));
  for (const sequence of [1, 2]) await installation.store.delete(evaluationKey(sequence));
  await process.notifier.prune();
  const left = [...installation.store.objects.keys()].filter((key) => /messages|deliveries/.test(key));
  expect(left).toEqual(['_state/alerts/messages/0000000002.default.alert.json']);
});

describe.each(['before', 'after'] as const)('A process that is killed %s a put', (when) => {
  // The store's id, the message, the outbox; then it is taken, recorded and removed.
  test.each([1, 2, 3, 4, 5, 6])('number %i loses and doubles nothing', async (puts) => {
    await installation.evaluate(
      evaluation(1, [
        ['fired', A],
        ['fired', B],
      ]),
    );
    const victim = installation.process(installation.dyingStore(puts, when));
    const died = await victim.notifier
      .sweep()
      .then(() => installation.work(victim))
      .catch((error: Error) => error.message);
    installation.queue.flush();
    const later = installation.process();
    // The lease of the process that is gone must end.
    for (let minutes = 0; minutes < 3; minutes++) {
      await later.notifier.sweep();
      await installation.work(later);
      installation.now += 60_000;
    }
    const messages = [...byId(server.received).values()];
    expect(messages.map((each) => each.news)).toEqual([['a fired', 'b fired']]);
    // Sent, and not recorded: only then a second attempt is needed. It has the same id.
    const isRepeated = puts === 5 && when === 'before';
    expect(messages[0]?.times).toBe(isRepeated ? 2 : 1);
    expect(await statuses()).toEqual(['delivered']);
    expect(died).toBe('killed');
  });
});
