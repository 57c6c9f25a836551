import { loadAlerts } from '../../../src/alerts/load-alerts.js';
import { AlertChain } from '../../../src/state/alerts/evaluations.js';
import type { AlertDelivery, UnfinishedMessage } from '../../../src/state/alerts/outbox.js';
import { EMPTY_OUTBOX, messageName, recordDelivery, updateOutbox } from '../../../src/state/alerts/outbox.js';
import { evaluation } from '../../integration/alerts/delivery-fixture.js';
import { MemoryStore } from '../../support/memory-store.js';
import { incident } from '../domain/alerts/incidents.js';

const AT = '2026-11-28T10:00:00.000Z';
const fired = incident();
let store: MemoryStore;
beforeEach(async () => {
  store = new MemoryStore();
  await new AlertChain(store).seal(evaluation(1, [['fired', fired]]));
});

type Outcome = AlertDelivery['channels'][number]['outcome'];
const tried = (outcome: Outcome, error: string | null = null) => ({
  channel: '#ml-fraud',
  type: 'slack',
  outcome,
  attempts: 1,
  error,
  at: AT,
});

const record = (sequence: number, route: string, status: AlertDelivery['status']) =>
  recordDelivery(store, messageName(sequence, route, 'alert'), {
    version: 1,
    id: `msg-${sequence}`,
    route,
    kind: 'alert',
    status,
    sealed_at: AT,
    finished_at: AT,
    incidents: [fired.id],
    channels: status === 'failed' ? [tried('failed', 'HTTP 404')] : [tried('delivered')],
  });

const waiting = (sequence: number, route: string, attempts: readonly Outcome[]): UnfinishedMessage => ({
  name: messageName(sequence, route, 'alert'),
  route,
  sequence,
  sealed_at: AT,
  incidents: [fired.id],
  channel: 0,
  attempts: attempts.length,
  next_at: AT,
  lease: null,
  tried: attempts.map((outcome) => tried(outcome, 'HTTP 503')),
});
const enqueue = (...unfinished: UnfinishedMessage[]) =>
  updateOutbox(store, () => ({ ...EMPTY_OUTBOX, unfinished }));

const notified = async () =>
  (await loadAlerts(store, new AlertChain(store), Date.parse(AT))).incidents[0]?.notified;

it('says that nobody was notified before a message ends', async () => {
  await enqueue(waiting(1, 'fraud', []));
  expect(await notified()).toBeNull();
});

it('says who took the newest message', async () => {
  await record(1, 'fraud', 'failed');
  await record(2, 'fraud', 'delivered');
  expect(await notified()).toMatchObject({ status: 'delivered', channel: '#ml-fraud', error: null });
});

it('says that an attempt failed while others follow, also after a message that was delivered', async () => {
  await record(1, 'fraud', 'delivered');
  await enqueue(waiting(2, 'fraud', ['retry']));
  expect(await notified()).toMatchObject({ status: 'retrying', channel: '#ml-fraud', error: 'HTTP 503' });
});

it('names the route that fails, though another one delivered', async () => {
  await record(1, 'fraud', 'failed');
  await record(1, 'others', 'delivered');
  expect(await notified()).toMatchObject({ status: 'failed', route: 'fraud', error: 'HTTP 404' });
  await record(2, 'fraud', 'superseded');
  expect(await notified()).toMatchObject({ status: 'failed' });
});

it('reads each record of a delivery once', async () => {
  await record(1, 'fraud', 'delivered');
  const known = new Map<string, AlertDelivery>();
  const load = () => loadAlerts(store, new AlertChain(store), Date.parse(AT), known);
  const first = await load();
  expect([...known.values()]).toMatchObject([{ route: 'fraud' }]);
  const [key] = known.keys();
  const changed = [...known.values()].map((each) => ({ ...each, route: 'from memory' }))[0];
  if (!key || !changed) throw new Error('a record is known');
  known.set(key, changed);
  expect(first.incidents[0]?.notified?.route).toBe('fraud');
  expect((await load()).incidents[0]?.notified?.route).toBe('from memory');
});

it.each([
  ['_state/alerts/evaluations/0000000002.json'],
  ['_state/alerts/deliveries/0000000001.mail.alert.json'],
  ['_state/alerts/outbox.json'],
  ['_state/alerts/actions.json'],
  ['_state/alerts/policy.json'],
])('says that %s is damaged, and shows the rest', async (key) => {
  await new AlertChain(store).seal({ ...evaluation(2, []), incidents: [fired] });
  await record(1, 'fraud', 'delivered');
  await record(1, 'mail', 'delivered');
  await store.put(key, Buffer.from('{"vers'));
  const { incidents, problems, noise } = await loadAlerts(store, new AlertChain(store), Date.parse(AT));
  expect(problems).toEqual([`${key} is damaged; what it says is missing here.`]);
  expect(noise.filter((rule) => rule.fired > 0)).toMatchObject([{ rule: fired.rule }]);
  expect(incidents).toMatchObject([{ id: fired.id, notified: { status: 'delivered' } }]);
});
