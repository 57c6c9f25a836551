import { AlertEvaluator } from '../../../src/alerts/alert-evaluator.js';
import { AlertPolicies } from '../../../src/alerts/alert-policies.js';
import { MeasurementLoader } from '../../../src/alerts/load-measurements.js';
import { Watch } from '../../../src/alerts/measure-services.js';
import { platformFactsReader } from '../../../src/dashboard/dashboard.module.js';
import { TrackingServer } from '../../../src/demo/tracking-server.js';
import type { AlertEvaluation, AlertTransition } from '../../../src/domain/alerts/incident.js';
import { isTold } from '../../../src/domain/alerts/transitions.js';
import { AlertChain } from '../../../src/state/alerts/evaluations.js';
import { statusOptions } from '../../../src/state/service-status.js';
import { type OpenService, openService } from '../../support/open-service.js';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
export const START = Date.parse('2026-03-10T15:30:00Z');

/** `accuracy` and `recall`: critical below 0.7, warning below 0.8. */
const THRESHOLDS = ['accuracy', 'recall'].map((metric_name) => ({
  metric_name,
  critical_threshold: 0.7,
  warning_threshold: 0.8,
}));

/** So many days hold what `logHourly` logs. */
export const RHYTHM_DAYS = 16;

interface LoggedRun {
  /** ms; by default a minute ago, ended now */
  readonly start?: number;
  readonly end?: number;
  readonly tags?: Record<string, string>;
  readonly metrics?: Readonly<Record<string, number>>;
}

/** Evaluates alerts on the store of a service, as another process. @param software the version that evaluates */
export function evaluatorOf(service: OpenService, clock: () => number, software = '1'): AlertEvaluator {
  const { store, duck, settings } = service.resources;
  const process = { host: 'test', pid: 1 };
  const log = { log: () => undefined, warn: () => undefined };
  return new AlertEvaluator({
    ...statusOptions(settings),
    store,
    chain: new AlertChain(store),
    policies: new AlertPolicies({ store, alertsFile: undefined, ownersFile: undefined, process, clock, log }),
    measurements: new MeasurementLoader(platformFactsReader(store, duck, settings)),
    watches: { mlflow: new Watch(), queue: new Watch() },
    software,
    clock,
  });
}

/** A service whose alerts are evaluated after each delta, on a clock of its own. */
export class AlertScenario {
  now = START;
  mlflow!: TrackingServer;
  service!: OpenService;
  evaluator!: AlertEvaluator;
  private readonly experiments = new Map<string, string>();

  /** @param historyDays days that `begin` reads; `RHYTHM_DAYS` with `logHourly` */
  async open(historyDays = 10): Promise<void> {
    this.mlflow = await TrackingServer.start(() => this.now);
    const clock = () => this.now;
    const catalog = { metrics: [], thresholds: THRESHOLDS };
    const env = { LOOKBACK_DAYS_HISTORICAL: `${historyDays}` };
    this.service = await openService({ trackingUri: this.mlflow.uri, clock, catalog, env });
    this.evaluator = this.newEvaluator();
  }

  /** As another process, or the same one after a restart. */
  newEvaluator(software = '1'): AlertEvaluator {
    return evaluatorOf(this.service, () => this.now, software);
  }

  async close(): Promise<void> {
    await this.service.close();
    await this.mlflow.close();
  }

  log(
    application: string,
    accuracy: number,
    { start, end, tags = {}, metrics = {} }: LoggedRun = {},
  ): string {
    const experiment_id =
      this.experiments.get(application) ?? this.mlflow.experiment(application).experiment_id;
    this.experiments.set(application, experiment_id);
    const start_time = start ?? this.now - MINUTE;
    const entries = Object.entries({ accuracy, ...metrics }).map(([key, value]) => ({
      key,
      value,
      step: 0,
      timestamp: start_time,
    }));
    const run = { experiment_id, start_time, end_time: end ?? start_time + MINUTE, metrics: entries, tags };
    return this.mlflow.run({ ...run, run_name: `${application}-run`, user_id: 'ana' }).run_id;
  }

  /** Hourly runs until an hour ago, as far as they tell how often an application runs: now, and at this time of two earlier weeks. */
  logHourly(application: string): void {
    for (const days of [0, 7, 14]) {
      const around = days === 0 ? [1, 24] : [-25, 25];
      for (let hour = around[0] ?? 0; hour <= (around[1] ?? 0); hour++)
        this.log(application, 0.9, { start: this.now - days * DAY - hour * HOUR });
    }
  }

  /** A store with the history so far, whose first evaluation is over. */
  async begin(): Promise<void> {
    await this.service.run('bootstrap');
    await this.delta();
  }

  /** Runs a delta and evaluates it. */
  async delta(minutesLater = 5): Promise<readonly AlertTransition[]> {
    this.now += minutesLater * MINUTE;
    return this.deltaNow();
  }

  async deltaNow(): Promise<readonly AlertTransition[]> {
    const { status, error } = await this.service.run('delta');
    expect({ status, error }).toEqual({ status: 'done', error: null });
    return (await this.evaluator.evaluateData())?.transitions ?? [];
  }

  newest(): Promise<AlertEvaluation | null> {
    return new AlertChain(this.service.resources.store).newest();
  }
}

/** What a message tells: `fired critical_runs of churn`. */
export const messagesOf = (transitions: readonly AlertTransition[]): string[] =>
  transitions
    .filter((each) => isTold(each) && !each.digest_only)
    .map(({ change, incident: { rule, subject } }) => `${change} ${rule} of ${subject.application}`);

/** What the digest tells, and why: `fired critical_runs of churn: late_data`. */
export const digestOf = (transitions: readonly AlertTransition[]): string[] =>
  transitions
    .filter((each) => isTold(each) && each.digest_only)
    .map(
      ({ change, digest_reason, incident: { rule, subject } }) =>
        `${change} ${rule} of ${subject.application}: ${digest_reason}`,
    );
