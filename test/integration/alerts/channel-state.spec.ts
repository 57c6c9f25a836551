import { readDeliveries, readOutbox } from '../../../src/state/alerts/outbox.js';
import { type Receiver, type ReceiverType, receiver } from '../../support/alert-receivers.js';
import { type Answer, answer, ScriptedServer } from '../../support/scripted-server.js';
import { incident } from '../../unit/domain/alerts/incidents.js';
import { byId, channelTo, evaluation, Installation } from './delivery-fixture.js';
import { opened } from './opened.js';

type Changes = Parameters<typeof evaluation>[1];
const MINUTE = 60_000;
const of = (id: string, application = 'churn', parts: Parameters<typeof incident>[0] = {}) =>
  incident({ id, subject: { scope: 'application', application, metric: null, item: null }, ...parts });

let server: ScriptedServer;
let installation: Installation;
let to: Receiver;
let sequence: number;
beforeAll(async () => {
  server = await ScriptedServer.start();
});
afterAll(() => server.close());
beforeEach(() => {
  server.received.length = 0;
  sequence = 0;
});

function set(type: ReceiverType, more: object = {}, script?: (accept: Answer) => Answer[]): void {
  to = receiver(type, server.uri);
  server.script = script?.(to.answer) ?? [to.answer];
  installation = new Installation({ default: [opened({ ...to.settings, ...more }, to.env)] });
}
/** Evaluates, and delivers all that is due. */
async function news(...changes: Changes): Promise<void> {
  const process = installation.process();
  await installation.evaluate(evaluation(++sequence, changes));
  await process.notifier.sweep();
  await installation.work(process);
}
async function pass(minutes: number): Promise<void> {
  installation.now += minutes * MINUTE;
  const process = installation.process();
  await process.notifier.sweep();
  await installation.work(process);
}
const statuses = async () =>
  (await readDeliveries(installation.store, 9)).map(({ status }) => status).reverse();

describe('PagerDuty', () => {
  test('opens an incident per alert and closes it, also when nobody is told of the end', async () => {
    set('pagerduty');
    await news(['fired', of('a')], ['fired', of('b')], ['fired', of('c')]);
    await news(['recovered', of('a')], ['corrected', of('b')]);
    const muted = { until: '2026-12-01T00:00:00.000Z', by: 'ana', reason: 'x' };
    await news(['cleared', of('c', 'churn', { muted })], ['cleared', of('d', 'churn', { told_at: null })]);
    expect(to.taken).toEqual(['a trigger', 'b trigger', 'c trigger', 'b resolve', 'a resolve', 'c resolve']);
  });

  test('gets what is severe enough; the rest of a message goes to the next channel of the route', async () => {
    set('pagerduty');
    const other = await ScriptedServer.start();
    other.script = [answer(204)];
    const pager = opened({ ...to.settings, severity: 'critical' }, to.env);
    installation = new Installation({ default: [pager, channelTo(other.uri)] });
    const now = Date.now();
    installation.now = now;
    const warning = { severity: 'warning' } as const;
    await news(['fired', of('a')], ['fired', of('w', 'churn', warning)]);
    await news(['fired', of('v', 'churn', warning)]);
    expect(to.taken).toEqual(['a trigger']);
    expect([...byId(other.received).values()].map((each) => each.news)).toEqual([['w fired'], ['v fired']]);
    expect(await statuses()).toEqual(['delivered', 'delivered']);
    await other.close();
  });

  test('has nothing to do with what is not severe enough, which is no failure', async () => {
    set('pagerduty', { severity: 'critical' });
    await news(['fired', of('w', 'churn', { severity: 'warning' })]);
    expect(server.received).toEqual([]);
    expect(await statuses()).toEqual(['skipped']);
  });

  test('is not called again for the same subject within the cooldown, and is once it is over', async () => {
    set('pagerduty', { cooldown_minutes: 30 });
    await news(['fired', of('a')]);
    await pass(5);
    await news(['recovered', of('a')]);
    await news(['fired', of('b')], ['fired', of('x', 'fraud')]);
    expect(to.taken).toEqual(['a trigger', 'a resolve', 'x trigger']);
    await pass(10);
    expect(to.taken).toHaveLength(3);
    await pass(16);
    expect(to.taken.slice(3)).toEqual(['b trigger']);
    expect((await readOutbox(installation.store)).unfinished).toEqual([]);
  });

  test('is not called for what recovers within the cooldown', async () => {
    set('pagerduty', { cooldown_minutes: 30 });
    await news(['fired', of('a')]);
    await news(['recovered', of('a')]);
    await news(['fired', of('b')]);
    await news(['recovered', of('b')]);
    await pass(60);
    expect(to.taken).toEqual(['a trigger', 'a resolve', 'b resolve']);
  });

  test('gets 60 events, and the rest a minute later, each once', async () => {
    set('pagerduty');
    await news(...Array.from({ length: 100 }, (_, n): Changes[number] => ['fired', of(`i${n}`, `app-${n}`)]));
    expect(to.taken).toHaveLength(60);
    await pass(1.1);
    expect(new Set(to.taken).size).toBe(100);
    expect(to.taken).toHaveLength(100);
    expect(await statuses()).toEqual(['delivered']);
  });

  test('that refuses after some events gets only the others again', async () => {
    const limited = answer(429, '', { 'Retry-After': '60' });
    set('pagerduty', {}, (accept) => [accept, accept, limited, accept]);
    await news(['fired', of('a', 'a')], ['fired', of('b', 'b')], ['fired', of('c', 'c')]);
    expect(to.taken).toHaveLength(2);
    await pass(1.1);
    expect([...to.taken].sort()).toEqual(['a trigger', 'b trigger', 'c trigger']);
  });
});

describe('GitHub', () => {
  test('starts a workflow once per application, for alerts on applications only', async () => {
    set('github', {
      cooldown_minutes: 0,
      inputs: ['application', 'metric', 'incident', 'rule', 'title', 'url'],
    });
    const service = incident({
      id: 's',
      rule: 'mlflow_down',
      subject: { scope: 'service', application: null, metric: null, item: null },
    });
    await news(['fired', of('a')], ['fired', of('b')], ['fired', of('x', 'fraud')], ['fired', service]);
    expect(to.taken).toEqual(['a churn', 'x fraud']);
    expect(JSON.parse(server.received[0]?.body ?? '')).toEqual({
      ref: 'main',
      inputs: {
        application: 'churn',
        metric: '',
        incident: 'a',
        rule: 'newest_run',
        title: expect.stringMatching(/^CRITICAL churn · recall 0\.78 < 0\.84/),
        url: 'https://monitor.example.com/alerts/a',
      },
    });
  });

  test('starts nothing for a recovery or what has started it before, and waits for the cooldown', async () => {
    set('github');
    await news(['fired', of('a')]);
    await news(['recovered', of('a')]);
    await news(['fired', of('b')]);
    await pass(30);
    expect(to.taken).toEqual(['a churn']);
    await pass(31);
    expect(to.taken).toEqual(['a churn', 'b churn']);
    await pass(1_440);
    // A repetition of what has started it.
    await news(['fired', of('b')]);
    expect(to.taken).toHaveLength(2);
  });
});

describe('The bot of Slack', () => {
  const said = () => to.taken.map((each) => each.replace(/ · .*/, ''));

  test('opens a thread per message, replies in it and shows the newest state in the first message', async () => {
    set('slack-bot');
    await news(['fired', of('a')]);
    await news(['recovered', of('a')]);
    expect(said()).toEqual([
      'post 1700000000.000001: CRITICAL churn',
      'reply to 1700000000.000001: RECOVERED churn',
      'update 1700000000.000001: RECOVERED churn',
    ]);
    expect(server.received.map(({ body }) => JSON.parse(body).reply_broadcast)).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    await news(['fired', of('b')]);
    expect(said()[3]).toBe('post 1700000000.000004: CRITICAL churn');
  });

  test('keeps the other alerts of a first message as they are', async () => {
    set('slack-bot');
    await news(['fired', of('a', 'one')], ['fired', of('b', 'two')]);
    await news(['recovered', of('b', 'two')], ['fired', of('c', 'three')]);
    const update = server.received.map(({ body }) => JSON.parse(body)).find(({ ts }) => ts);
    expect(JSON.stringify(update.blocks)).toMatch(/CRITICAL one.*RECOVERED two/);
    expect(said()).toEqual([
      'post 1700000000.000001: CRITICAL one',
      'post 1700000000.000002: CRITICAL three',
      'reply to 1700000000.000001: RECOVERED two',
      'update 1700000000.000001: CRITICAL one',
    ]);
  });

  test('posts anew if the first message is gone', async () => {
    const gone = answer(200, JSON.stringify({ ok: false, error: 'thread_not_found' }));
    set('slack-bot', {}, (accept) => [accept, gone, accept]);
    await news(['fired', of('a')]);
    await news(['recovered', of('a')]);
    expect(said()[1]).toBe('post 1700000000.000002: RECOVERED churn');
    expect(await statuses()).toEqual(['delivered', 'delivered']);
  });

  test('has delivered a reply although the first message cannot be updated', async () => {
    const refused = answer(200, JSON.stringify({ ok: false, error: 'edit_window_closed' }));
    set('slack-bot', {}, (accept) => [accept, accept, refused]);
    await news(['fired', of('a')]);
    await news(['recovered', of('a')]);
    expect((await readDeliveries(installation.store, 1))[0]?.channels).toMatchObject([
      { outcome: 'delivered', error: 'the first message was not updated: Slack refuses: edit_window_closed' },
    ]);
  });
});
