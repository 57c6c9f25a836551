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

/** `accuracy`: critical below 0.7, warning below 0.8. */
const ACCURACY = { metric_name: 'accuracy', critical_threshold: 0.7, warning_threshold: 0.8 };

interface LoggedRun {
  /** ms; by default a minute ago, ended now */
  readonly start?: number;
  readonly end?: number;
  readonly tags?: Record<string, string>;
  readonly metrics?: Readonly<Record<string, number>>;
}

/** A service whose alerts are evaluated after each delta, on a clock of its own. */
export class AlertScenario {
  now = START;
  mlflow!: TrackingServer;
  service!: OpenService;
  evaluator!: AlertEvaluator;
  readonly watches = { mlflow: new Watch(), queue: new Watch() };
  private readonly experiments = new Map<string, string>();

  async open(catalog: object = { metrics: [], thresholds: [ACCURACY] }): Promise<void> {
    this.mlflow = await TrackingServer.start(() => this.now);
    const clock = () => this.now;
    this.service = await openService({ trackingUri: this.mlflow.uri, clock, catalog });
    this.evaluator = this.newEvaluator();
  }

  /** As another process, or the same one after a restart. */
  newEvaluator(software = '1'): AlertEvaluator {
    const { store, duck, settings } = this.service.resources;
    const clock = () => this.now;
    const process = { host: 'test', pid: 1 };
    const log = { log: () => undefined, warn: () => undefined };
    return new AlertEvaluator({
      ...statusOptions(settings),
      store,
      chain: new AlertChain(store),
      policies: new AlertPolicies({
        store,
        alertsFile: undefined,
        ownersFile: undefined,
        process,
        clock,
        log,
      }),
      measurements: new MeasurementLoader(platformFactsReader(store, duck, settings)),
      watches: this.watches,
      software,
      clock,
    });
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
