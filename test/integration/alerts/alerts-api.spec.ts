import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { AlertEvaluator } from '../../../src/alerts/alert-evaluator.js';
import { alertsSchema, transitionsSchema } from '../../../src/alerts/load-alerts.js';
import { noiseSchema } from '../../../src/alerts/load-noise.js';
import { TrackingServer } from '../../../src/demo/tracking-server.js';
import { ALERT_RULES } from '../../../src/domain/alerts/incident.js';
import { muteSchema } from '../../../src/state/alerts/actions.js';
import { type OpenService, openService } from '../../support/open-service.js';

const MINUTE = 60_000;
let now = Date.parse('2026-03-10T15:30:00Z');
let mlflow: TrackingServer;
let service: OpenService;
beforeAll(async () => {
  mlflow = await TrackingServer.start(() => now);
  const { experiment_id } = mlflow.experiment('churn');
  const log = (value: number) =>
    mlflow.run({
      experiment_id,
      start_time: now,
      metrics: [{ key: 'accuracy', value, step: 0, timestamp: now }],
    });
  log(0.9);
  service = await openService({ trackingUri: mlflow.uri, clock: () => now, http: true, scheduled: true });
  await delta();
  log(0.5);
  await delta();
});
afterAll(async () => {
  await service.close();
  await mlflow.close();
});

async function delta(): Promise<void> {
  now += 5 * MINUTE;
  const sealed = once(service.app.get(AlertEvaluator).events, 'sealed');
  await service.run('delta');
  await sealed;
}

const alerts = async () => alertsSchema.parse((await service.request('GET', '/api/v1/alerts')).json);
const admin = async (method: string, path: string, body?: object) => {
  const token = await readFile(`${service.folder}/store/admin-token`, 'utf8');
  return service.request(method, `/api/v1/admin/alerts/${path}`, {
    headers: { authorization: `Bearer ${token.trim()}` },
    ...(body ? { body } : {}),
  });
};
const critical = async () => {
  const found = (await alerts()).incidents.find(({ rule }) => rule === 'critical_runs');
  if (!found) throw new Error('the application is red');
  return found;
};

test('The incidents that are not ok are listed, with nobody notified', async () => {
  expect(await critical()).toMatchObject({ state: 'firing', notified: null, muted: null });
});

test('Transitions are listed oldest first, with a cursor', async () => {
  const { json } = await service.request('GET', '/api/v1/alerts/transitions?limit=1');
  const { transitions, next } = transitionsSchema.parse(json);
  expect(transitions[0]).toMatchObject({ incident: { subject: { application: 'churn' } } });
  const rest = await service.request('GET', `/api/v1/alerts/transitions?after=${next}`);
  expect(rest.json).toEqual({ transitions: [], next: null });
});

test('A mute and an acknowledgement need an admin, say who and why, and are shown at once', async () => {
  const { id } = await critical();
  const until = new Date(now + 60 * MINUTE).toISOString();
  const anonymous = await service.request('POST', '/api/v1/admin/alerts/mutes', {
    body: { application: 'churn', until, reason: 'x' },
  });
  expect(anonymous.status).toBe(401);
  const created = await admin('POST', 'mutes', { application: 'churn', until, reason: 'retraining' });
  expect(created.status).toBe(201);
  expect((await admin('POST', 'acknowledgements', { incident: id })).status).toBe(200);
  expect(await critical()).toMatchObject({
    state: 'firing',
    muted: { until, reason: 'retraining' },
    acknowledged: { by: expect.any(String) },
  });
  const { id: mute } = muteSchema.parse(created.json);
  expect((await admin('DELETE', `mutes/${mute}`)).status).toBe(200);
  expect(await critical()).toMatchObject({ muted: null });
});

test('The noise of a rule counts what fired and was acknowledged, and metrics count what fires', async () => {
  await delta();
  expect((await alerts()).noise).toContainEqual({
    rule: 'critical_runs',
    fired: 1,
    acknowledged: 1,
    muted: 0,
  });
  const { json } = await service.request('GET', '/api/v1/alerts/noise');
  const { days, rules } = noiseSchema.parse(json);
  expect([days, rules.length]).toEqual([30, ALERT_RULES.length]);
  expect(rules.find(({ rule }) => rule === 'critical_runs')).toEqual({
    rule: 'critical_runs',
    fired: 1,
    acknowledged: 1,
    muted: 0,
    corrected: 0,
    median_recovery_seconds: null,
    // One alert cannot be halved.
    halving: null,
  });
  const { text } = await service.request('GET', '/metrics');
  expect(text).toContain('mlflow_monitor_alerts_firing{severity="critical"} 1');
  expect(text).toContain('mlflow_monitor_alerts_acknowledged{severity="critical"} 1');
});

test.each([
  ['mutes', { application: 'churn', until: '2020-01-01T00:00:00Z', reason: 'x' }, 400],
  ['mutes', { application: 'churn', until: '2099-01-01T00:00:00Z', reason: 'x' }, 400],
  ['mutes', { until: '2026-03-11T00:00:00Z', reason: 'x' }, 400],
  ['mutes', { application: 'churn', until: '2026-03-11T00:00:00Z', reason: ' ' }, 400],
  ['mutes', { incident: 'unknown', until: '2026-03-11T00:00:00Z', reason: 'x' }, 404],
  ['acknowledgements', { incident: 'unknown' }, 404],
])('POST %s with %j is refused with %i', async (path, body, status) => {
  expect((await admin('POST', path, body)).status).toBe(status);
});
