import { readdirSync, readFileSync } from 'node:fs';
import { Logger } from '@nestjs/common';
import { z } from 'zod';
import { AlertEvaluationService } from '../../../src/alerts/alert-evaluation.service.js';
import { TrackingServer } from '../../../src/demo/tracking-server.js';
import { MS_PER_HOUR } from '../../../src/domain/time.js';
import { CachedProbe } from '../../../src/health/cached-probe.js';
import { Dependencies } from '../../../src/health/dependencies.js';
import { SchedulerService } from '../../../src/pipeline/scheduler.service.js';
import { type CurrentLights, LIGHTS } from '../../../src/state/current-lights.js';
import { findProgram } from '../../support/find-program.js';
import { noiseFrom } from '../../support/noise.js';
import { type OpenService, openService } from '../../support/open-service.js';
import { AlertReceiver, type Monitoring, type SentAlert, startMonitoring } from '../../support/prometheus.js';
import { findRedisServer, type RedisServer, startRedis } from '../../support/redis-server.js';
import { skipSuite } from '../../support/skip.js';

Logger.overrideLogger(false);
const DELTA_PERIOD_MS = 5 * 60_000;

const FOLDER = 'deploy/grafana/dashboards';
const dashboard = z.object({
  title: z.string(),
  annotations: z.object({ list: z.array(z.object({ name: z.string(), expr: z.string() })) }),
  panels: z.array(
    z.object({ title: z.string(), targets: z.array(z.object({ expr: z.string() })).default([]) }),
  ),
});
/** Each query of the dashboards, with its name for people. */
const QUERIES = readdirSync(FOLDER).flatMap((file) => {
  const { title, annotations, panels } = dashboard.parse(
    JSON.parse(readFileSync(`${FOLDER}/${file}`, 'utf8')),
  );
  return [
    ...annotations.list.map(({ name, expr }) => ({ name: `${title}: annotation ${name}`, expr })),
    ...panels.flatMap((panel) =>
      panel.targets.map(({ expr }) => ({ name: `${title}: ${panel.title}`, expr })),
    ),
  ];
});

function tests(programs: { prometheus: string; alertmanager: string; redis: string }): void {
  let redis: RedisServer;
  let mlflow: TrackingServer;
  let service: OpenService;
  let receiver: AlertReceiver;
  let monitoring: Monitoring;
  /** How far the clock of service and tracking server is ahead of Prometheus's, ms. */
  let ahead = 0;
  const clock = () => Date.now() + ahead;

  const log = (application: string, start_time: number, value: number) => {
    const { experiment_id } = mlflow.experiment(application, { owner: 'risk' });
    const metrics = [{ key: 'accuracy', value, step: 0, timestamp: start_time }];
    mlflow.run({ experiment_id, start_time, metrics });
  };
  /** The next scheduled delta, with the evaluation of its alerts. */
  const delta = async () => {
    ahead += DELTA_PERIOD_MS;
    const finished = service.nextFinished('delta');
    await service.app.get(SchedulerService).tick();
    await finished;
    await service.app.get(AlertEvaluationService).evaluateData();
  };
  const sent = (alertname: string, status: SentAlert['status']) =>
    receiver.alert((alert) => alert.labels.alertname === alertname && alert.status === status);

  beforeAll(async () => {
    redis = await startRedis(programs.redis);
    mlflow = await TrackingServer.start(clock);
    const noise = noiseFrom(1);
    // A metric that sinks towards its limit, every three hours for four days.
    for (let i = 0; i < 32; i++) {
      log('churn', Date.now() - (32 - i) * 3 * MS_PER_HOUR, 0.95 - (0.12 * i) / 31 + 0.002 * noise());
    }
    log('fraud', Date.now() - 2 * MS_PER_HOUR, 0.9);
    service = await openService({
      trackingUri: mlflow.uri,
      clock,
      http: true,
      scheduled: true,
      env: { REDIS_URL: redis.url, LOOKBACK_DAYS_HISTORICAL: '5' },
    });
    // A scrape may use lights of 30 s ago; the test does not wait that long.
    const lights = service.app.get<() => Promise<CurrentLights>>(LIGHTS, { strict: false });
    const fresh = new CachedProbe(lights, { freshMs: 0, timeoutMs: 1_500, clock });
    Object.assign(service.app.get(Dependencies, { strict: false }), { lights: fresh });
    await service.finished('bootstrap-1');
    await delta();
    receiver = new AlertReceiver();
    monitoring = await startMonitoring(programs, `127.0.0.1:${service.port}`, receiver);
  });
  afterAll(async () => {
    await monitoring?.stop();
    receiver?.close();
    await service?.close();
    await mlflow?.close();
    await redis?.stop();
  });

  it('Prometheus and Alertmanager deliver the watchdog', async () => {
    expect(await sent('MlflowMonitorWatchdog', 'firing')).toMatchObject({ receiver: 'watchdog' });
  });

  it('people on call are told that MLflow is down, and that it is back', async () => {
    mlflow.intercept = () => ({ status: 503, headers: {}, body: '{}' });
    await delta();
    expect(await sent('MlflowMonitorUpstreamDown', 'firing')).toMatchObject({
      receiver: 'platform-on-call',
      labels: { upstream: 'mlflow', severity: 'critical' },
      annotations: {
        summary: 'mlflow is unavailable. Affected processes: 1',
        runbook_url: 'docs/runbook.md#mlflowmonitorupstreamdown',
      },
    });
    mlflow.intercept = undefined;
    await delta();
    expect(await sent('MlflowMonitorUpstreamDown', 'resolved')).toMatchObject({
      receiver: 'platform-on-call',
    });
  });

  it('the owner of an application is told that it is critical', async () => {
    for (let i = 0; i < 5; i++) log('fraud', clock() - i, 0.5);
    await delta();
    const alert = await receiver.alert(
      ({ labels }) =>
        labels.alertname === 'MlflowMonitorApplicationCritical' && labels.application === 'fraud',
    );
    expect(alert).toMatchObject({
      receiver: 'risk-team',
      status: 'firing',
      labels: { owner: 'risk', severity: 'critical' },
      annotations: { summary: expect.stringMatching(/^fraud is critical\. Alerts: \d+$/) },
    });
  });

  it('each query of the dashboards has data', async () => {
    // It says that Prometheus has the new lights.
    await sent('MlflowMonitorPlatformCritical', 'firing');
    const empty = [];
    for (const { name, expr } of QUERIES) {
      const samples = await monitoring.query(expr.replaceAll('$__rate_interval', '1m'));
      if (!samples.some(({ value }) => Number.isFinite(value))) empty.push(`${name}: ${expr}`);
    }
    expect(empty).toEqual([]);
    expect(QUERIES.length).toBeGreaterThan(50);
  });
}

const [prometheus, alertmanager, redis] = [
  findProgram('prometheus'),
  findProgram('prometheus-alertmanager', 'alertmanager'),
  findRedisServer(),
];
if (prometheus && alertmanager && redis) {
  describe('a service that Prometheus scrapes', () => tests({ prometheus, alertmanager, redis }));
} else {
  skipSuite(
    'a service that Prometheus scrapes',
    "Debian's packages prometheus, prometheus-alertmanager and redis-server",
  );
}
