import { resend } from '../../../src/alerts/delivery/resend.js';
import { currentAlerts, ENDED_FOR_MS } from '../../../src/domain/alerts/current-alerts.js';
import type { AlertEvaluation } from '../../../src/domain/alerts/incident.js';
import { NO_MEMORY } from '../../../src/state/alerts/channel-memory.js';
import { AlertChain } from '../../../src/state/alerts/evaluations.js';
import { postableAlertsSchema, receiver } from '../../support/alert-receivers.js';
import { findAlertmanager, startAlertmanager } from '../../support/alertmanager.js';
import { type Answer, ScriptedServer } from '../../support/scripted-server.js';
import { skipSuite } from '../../support/skip.js';
import { incident } from '../../unit/domain/alerts/incidents.js';
import { evaluation, Installation, POLICY } from './delivery-fixture.js';
import { CONTEXT, HOSTILE, hostileLine, line, message } from './messages.js';
import { opened } from './opened.js';

const MINUTE = 60_000;
let server: ScriptedServer;
beforeAll(async () => {
  server = await ScriptedServer.start();
});
afterAll(() => server.close());
beforeEach(() => {
  server.received.length = 0;
});

const FIRED = incident({ id: 'a' });
/** The same incident, measured anew. */
const LATER = incident({ id: 'a', evidence: { value: 0.5 }, worst: 0.5 });

describe('The state that is sent each minute', () => {
  const { routes } = POLICY;
  const end = evaluation(2, [['recovered', FIRED]]);
  const endAt = Date.parse(end.to);
  const ids = (evaluations: readonly AlertEvaluation[], now: number) => {
    const { firing, ended } = currentAlerts(evaluations, 'default', routes, now);
    return [firing.map(({ id }) => id), ended.map((each) => each.incident.id)];
  };

  test('has what fires, and for five minutes what has ended', () => {
    const begin = evaluation(1, [['fired', FIRED]]);
    expect(ids([begin], endAt)).toEqual([['a'], []]);
    expect(ids([begin, end], endAt + ENDED_FOR_MS - 1)).toEqual([[], ['a']]);
    expect(ids([begin, end], endAt + ENDED_FOR_MS)).toEqual([[], []]);
  });

  test('has no end of what fires again: both are the same alert', () => {
    const again = evaluation(3, [['fired', incident({ id: 'b' })]]);
    expect(ids([end, again], endAt + MINUTE)).toEqual([['b'], []]);
  });

  test.each([
    ['muted', { muted: { until: '2026-12-09T00:00:00.000Z', by: 'ana', reason: 'x' } }],
    ['inhibited', { inhibited_by: 'another' }],
    ['only told by the digest', { digest_only: true }],
    ['not told yet', { told_at: null }],
  ])('has nothing that is %s', (_, parts) => {
    expect(ids([evaluation(1, [['fired', incident({ id: 'a', ...parts })]])], endAt)).toEqual([[], []]);
  });

  test('goes on while an incident has no data', () => {
    const silent = { ...evaluation(1, []), incidents: [incident({ id: 'a', state: 'no_data' })] };
    expect(ids([silent], endAt)).toEqual([['a'], []]);
  });
});

test('An alert keeps its labels whatever is measured, and is sent again well before it ends', async () => {
  const to = receiver('alertmanager', server.uri);
  server.script = [to.answer];
  const channel = opened(to.settings, to.env);
  const installation = new Installation({ default: [channel] });
  const process = installation.process();
  const chain = new AlertChain(installation.store);
  const options = {
    store: installation.store,
    holder: { id: 'x', isSole: true },
    clock: () => installation.now,
    channelsOf: async () => [{ channel, address: 'alertmanager' }],
    random: () => 0,
    context: async () => CONTEXT,
    log: { log: () => undefined, warn: () => undefined },
  };
  const again = () => resend(options, chain, POLICY, { route: 'default', channel: 0 });
  await installation.evaluate(evaluation(1, [['fired', FIRED]]));
  installation.now = Date.parse(evaluation(1, []).to);
  await process.notifier.sweep();
  await installation.work(process);
  await installation.evaluate({ ...evaluation(2, []), incidents: [LATER] });
  installation.now = Date.parse(evaluation(2, []).to);
  await again();
  await installation.evaluate(evaluation(3, [['recovered', LATER]]));
  installation.now = Date.parse(evaluation(3, []).to) + MINUTE;
  await again();
  installation.now += ENDED_FOR_MS;
  await again();
  expect(to.refused).toEqual([]);
  const sent = server.received.map(({ body }) => postableAlertsSchema.parse(JSON.parse(body))[0]);
  expect(sent).toHaveLength(3);
  expect(sent[0]?.labels).toEqual({
    alertname: 'newest_run',
    source: 'mlflow-monitor',
    severity: 'critical',
    scope: 'metric',
    application: 'fraud-scoring',
    metric: 'recall',
    owner: 'ml-fraud',
  });
  for (const each of sent) expect(each?.labels).toEqual(sent[0]?.labels);
  expect(sent.map((each) => each?.startsAt)).toEqual(Array(3).fill(FIRED.fired_at));
  expect(sent.map((each) => each?.endsAt)).toEqual([
    new Date(Date.parse(evaluation(1, []).to) + 5 * MINUTE).toISOString(),
    new Date(Date.parse(evaluation(2, []).to) + 5 * MINUTE).toISOString(),
    evaluation(3, []).to,
  ]);
  expect(sent[1]?.annotations.summary).toContain('recall 0.5 < 0.84');
});

test('Two schedulers enqueue the state once a minute, without an address', async () => {
  const installation = new Installation({ default: [] });
  const [first, second] = [installation.process(), installation.process()];
  await first.notifier.enqueueResends();
  await second.notifier.enqueueResends();
  expect([...installation.queue.jobs.keys()]).toEqual([
    `resend.default.0.${Math.floor(installation.now / MINUTE)}`,
  ]);
});

const program = findAlertmanager();
if (!program) skipSuite('Alertmanager itself', 'Alertmanager (prometheus-alertmanager in Debian)');
else
  describe('Alertmanager itself', () => {
    /** Alerts by status, as its webhook gets them. */
    interface Notification {
      readonly alerts: readonly {
        readonly status: string;
        readonly labels: Record<string, string>;
        readonly annotations: Record<string, string>;
      }[];
    }
    let manager: Awaited<ReturnType<typeof startAlertmanager>>;
    const waiting: ((notification: Notification) => void)[] = [];
    const notified = () => new Promise<Notification>((resolve) => waiting.push(resolve));
    const webhook: Answer = (response, { body }) => {
      response.writeHead(200).end();
      waiting.shift()?.(JSON.parse(body));
    };
    beforeAll(async () => {
      manager = await startAlertmanager(program, server.uri);
    });
    afterAll(() => manager.stop());

    test('accepts every name as it is, notifies once, and again when the alert is resolved', async () => {
      server.script = [webhook];
      const channel = opened({ type: 'alertmanager' }, { ALERT_ALERTMANAGER_URL: manager.uri });
      const now = Date.now();
      const at = new Date(now).toISOString();
      const send = (lines: Parameters<typeof message>[0]) =>
        channel.send({
          id: 'x',
          message: { ...message(lines), at },
          context: CONTEXT,
          memory: NO_MEMORY,
          now,
        });
      expect(await send([])).toEqual({ outcome: 'delivered' });
      expect(await send(HOSTILE.map(hostileLine))).toEqual({ outcome: 'delivered' });
      const listed = await fetch(`${manager.uri}/api/v2/alerts`);
      const alerts = (await listed.json()) as { labels: Record<string, string> }[];
      expect(new Set(alerts.map(({ labels }) => labels.application))).toEqual(new Set(HOSTILE));

      const fired = { ...FIRED, fired_at: at };
      const firing = notifiedOf('fraud-scoring', notified);
      await send([{ ...line(), incident: fired }]);
      await send([{ ...line(), incident: fired }]);
      expect((await firing)[0]).toMatchObject({ status: 'firing', annotations: { incident: 'a' } });
      const resolved = notifiedOf('fraud-scoring', notified);
      await send([{ news: 'recovered', held: null, incident: fired }]);
      expect(await resolved).toMatchObject([{ status: 'resolved' }]);
    });
  });

/** Waits for the notification about an application. */
async function notifiedOf<
  T extends { readonly alerts: readonly { readonly labels: Record<string, string> }[] },
>(application: string, next: () => Promise<T>): Promise<T['alerts']> {
  for (;;) {
    const { alerts } = await next();
    if (alerts.every(({ labels }) => labels.application === application)) return alerts;
  }
}
