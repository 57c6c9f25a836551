import { EventEmitter, once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AlertEvaluationService } from '../../../src/alerts/alert-evaluation.service.js';
import { AlertEvaluator } from '../../../src/alerts/alert-evaluator.js';
import { readAlertPolicy } from '../../../src/alerts/alert-policies.js';
import { NotificationSweepService } from '../../../src/alerts/delivery/notification-sweep.service.js';
import { TrackingServer } from '../../../src/demo/tracking-server.js';
import type { AlertEvaluation } from '../../../src/domain/alerts/incident.js';
import { AlertChain } from '../../../src/state/alerts/evaluations.js';
import { receiver } from '../../support/alert-receivers.js';
import { type OpenService, openService } from '../../support/open-service.js';
import { ScriptedServer } from '../../support/scripted-server.js';

const MINUTE = 60_000;
let now: number;
let folder: string;
let mlflow: TrackingServer;
const services: OpenService[] = [];
beforeEach(async () => {
  now = Date.parse('2026-03-10T15:30:00Z');
  folder = await mkdtemp(join(tmpdir(), 'alerts-'));
  mlflow = await TrackingServer.start(() => now);
});
afterEach(async () => {
  for (const service of services.splice(0)) await service.close();
  await mlflow.close();
  await rm(folder, { recursive: true, force: true });
});

async function start(env: Record<string, string> = {}): Promise<OpenService> {
  const clock = () => now;
  const service = await openService({
    trackingUri: mlflow.uri,
    clock,
    folder,
    http: true,
    scheduled: true,
    env: { LOOKBACK_DAYS_HISTORICAL: '3', ...env },
  });
  services.push(service);
  return service;
}

const alertsOf = (service: OpenService) => ({
  evaluator: service.app.get(AlertEvaluator),
  scheduled: service.app.get(AlertEvaluationService),
});

/** The evaluation that the service makes because of a delta. */
async function delta(service: OpenService): Promise<AlertEvaluation> {
  now += 5 * MINUTE;
  const sealed = once(alertsOf(service).evaluator.events, 'sealed');
  await service.run('delta');
  const [evaluation] = (await sealed) as [AlertEvaluation];
  return evaluation;
}

test('A service evaluates each delta, and goes on where it stopped after a restart', async () => {
  const { experiment_id } = mlflow.experiment('churn');
  const log = (value: number) =>
    mlflow.run({
      experiment_id,
      start_time: now,
      metrics: [{ key: 'accuracy', value, step: 0, timestamp: now }],
    });
  log(0.9);
  const service = await start();
  expect(await delta(service)).toMatchObject({ kind: 'data', incidents: [] });
  await service.close();
  services.pop();
  const manager = await ScriptedServer.start();
  const { answer, taken, refused } = receiver('alertmanager', manager.uri);
  const arrivals = new EventEmitter();
  manager.script = [
    (response, received) => {
      answer(response, received);
      arrivals.emit('post');
    },
  ];
  const restarted = await start({
    ALERT_ALERTMANAGER_URL: `${manager.uri}/hidden`,
    ALERT_ALLOW_PRIVATE_ADDRESSES: 'true',
  });
  const told = once(arrivals, 'post');
  log(0.5);
  const { transitions } = await delta(restarted);
  expect(transitions.filter(({ change }) => change === 'fired')).toMatchObject([
    { digest_only: false, incident: { rule: 'critical_runs', subject: { application: 'churn' } } },
  ]);
  // What follows the evaluation is done before the next one begins.
  await alertsOf(restarted).scheduled.evaluateData();
  await told;
  now += MINUTE;
  const again = once(arrivals, 'post');
  await restarted.app.get(NotificationSweepService).sweep();
  await again;
  // By the outbox, and a minute later because Alertmanager forgets what is not sent again.
  expect([refused, taken.length, new Set(taken).size]).toEqual([[], 2, 1]);
  await manager.close();
  const columns = 'rule, application, severity';
  expect(await restarted.rows('alerts', '2026/03/10', columns, "change = 'fired'")).toEqual([
    { rule: 'critical_runs', application: 'churn', severity: 'critical' },
  ]);
});

test('MLflow that does not answer fires after its duration, and recovers', async () => {
  const service = await start();
  const { scheduled } = alertsOf(service);
  await delta(service);
  await scheduled.minute();
  mlflow.intercept = () => ({ status: 503, headers: {}, body: '{}' });
  await service.run('delta');
  const states: string[] = [];
  const newest = () => new AlertChain(service.resources.store).newest();
  for (let minute = 0; minute < 12; minute++) {
    now += MINUTE;
    await scheduled.minute();
    const found = (await newest())?.incidents.find(({ rule }) => rule === 'mlflow_down');
    if (found && states.at(-1) !== found.state) states.push(found.state);
  }
  expect(states).toEqual(['pending', 'firing']);
  mlflow.intercept = undefined;
  await service.run('delta');
  for (let minute = 0; minute < 7; minute++) {
    now += MINUTE;
    await scheduled.minute();
  }
  expect((await newest())?.incidents).toEqual([]);
});

test('A wrong file stops a start; a file that becomes wrong keeps the last good policy and says so', async () => {
  const file = join(folder, 'alerts.yaml');
  await writeFile(file, 'version: 1\nruls: {}\n');
  await expect(start({ ALERTS_FILE: file })).rejects.toThrow(`${file}, line 2: ruls is not a key`);
  await writeFile(file, 'version: 1\nrules:\n  pass_rate: { limit: 70 }\n');
  const service = await start({ ALERTS_FILE: file });
  const policy = () => readAlertPolicy(service.resources.store);
  expect(await policy()).toMatchObject({ rules: { pass_rate: { limit: 70 } }, problem: null });
  const { scheduled } = alertsOf(service);
  await writeFile(file, 'version: 1\nrules:\n  pass_rate: { limit: many }\n');
  await scheduled.minute();
  expect(await policy()).toMatchObject({
    rules: { pass_rate: { limit: 70 } },
    problem: expect.stringContaining('line 3: rules.pass_rate.limit'),
  });
  await writeFile(file, 'version: 1\nrules:\n  pass_rate: { limit: 60 }\n');
  await scheduled.minute();
  expect(await policy()).toMatchObject({ rules: { pass_rate: { limit: 60 } }, problem: null });
});
