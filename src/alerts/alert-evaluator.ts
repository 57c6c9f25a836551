import { createHash } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { Clock } from '../config/runtime.js';
import { loadPipelineActivity, newestEnded, type PipelineActivity } from '../dashboard/pipeline-activity.js';
import { dataSignals } from '../domain/alerts/data-signals.js';
import { type AlertInput, evaluateAlerts } from '../domain/alerts/evaluate.js';
import type { AlertEvaluation } from '../domain/alerts/incident.js';
import type { OwnerRule } from '../domain/alerts/owners.js';
import type { AlertPolicy } from '../domain/alerts/policy.js';
import { type ServiceHealth, serviceSignals } from '../domain/alerts/service-signals.js';
import { LATE_AFTER_PERIODS } from '../domain/alerts/signal.js';
import { publish } from '../observability/diagnostics.js';
import { Markers } from '../pipeline/markers.js';
import { readAlertActions } from '../state/alerts/actions.js';
import type { AlertChain } from '../state/alerts/evaluations.js';
import { readKindState } from '../state/kind-state.js';
import { readQualityFindings } from '../state/quality-findings.js';
import { loadServiceFacts, type ServiceFacts } from '../state/service-facts.js';
import type { StatusOptions } from '../state/service-status.js';
import { readWatermarks } from '../state/watermarks.js';
import type { ObjectStore } from '../storage/object-store.js';
import type { AlertPolicies } from './alert-policies.js';
import type { MeasurementLoader, MeasurementRequest } from './load-measurements.js';
import { measureServices, type Watches } from './measure-services.js';

/** The period of service rules, ms. */
export const SERVICE_PERIOD_MS = 60_000;
/** An evaluation that changes nothing is sealed only so often, ms: the digest is due at one of them. */
const QUIET_PERIOD_MS = 30 * 60_000;
/** Lost races for the next evaluation. */
const MAX_ROUNDS = 10;

export interface AlertEvaluatorOptions extends StatusOptions {
  readonly store: ObjectStore;
  readonly chain: AlertChain;
  readonly policies: Pick<AlertPolicies, 'current'>;
  readonly measurements: Pick<MeasurementLoader, 'load'>;
  readonly watches: Watches;
  /** The versions that evaluate. */
  readonly software: string;
  readonly clock: Clock;
}

interface EvaluatorEvents {
  /** This process has sealed an evaluation. */
  sealed: [evaluation: AlertEvaluation, previous: AlertEvaluation | null];
}

type Measure = (previous: AlertEvaluation | null) => Promise<Pick<AlertInput, 'signals' | 'observedUntil'>>;

export interface DataRequest extends Pick<MeasurementRequest, 'to' | 'watermarks' | 'quality'> {
  readonly deltaPeriodMs: number;
  readonly policy: AlertPolicy & { readonly owners: readonly OwnerRule[] };
}

/** What the data rules say after an evaluation, live or of the past. */
export async function measureData(
  measurements: Pick<MeasurementLoader, 'load'>,
  previous: AlertEvaluation | null,
  { deltaPeriodMs, policy, ...request }: DataRequest,
): ReturnType<Measure> {
  const measured = await measurements.load({
    ...request,
    lateMs: LATE_AFTER_PERIODS * deltaPeriodMs,
    observedUntil: previous?.observed_until ? Date.parse(previous.observed_until) : 0,
    owners: policy.owners,
  });
  const signals = dataSignals(measured.measurements, policy, previous?.incidents ?? []);
  return { signals, observedUntil: measured.observedUntil };
}

/** Evaluates alerts, and extends the chain of evaluations. Several processes may do so at the same time. */
export class AlertEvaluator {
  readonly events = new EventEmitter<EvaluatorEvents>();
  /** The newest delta that is evaluated. */
  private evaluated: string | undefined;

  constructor(private readonly options: AlertEvaluatorOptions) {}

  /**
   * Evaluates the data rules once for the newest finished delta.
   * @returns the evaluation that was sealed; null if nothing is new or nothing has changed
   */
  async evaluateData(): Promise<AlertEvaluation | null> {
    const { store, deltaPeriodMs, measurements } = this.options;
    const ended = await newestEnded(store, 'delta', await readKindState(store, 'delta'));
    const delta = ended.find(({ status }) => status === 'done');
    if (!delta || delta.id === this.evaluated) return null;
    const to = (await new Markers(store, delta.id).plan())?.to;
    if (to === undefined) return null;
    const policy = await this.options.policies.current();
    const measure: Measure = async (previous) => {
      const watermarks = await readWatermarks(store);
      const quality = await readQualityFindings(store);
      return measureData(measurements, previous, { to, deltaPeriodMs, policy, watermarks, quality });
    };
    const about = { kind: 'data', to, pipeline_run_id: delta.id, periodMs: deltaPeriodMs } as const;
    const sealed = await this.extend(about, policy, measure);
    this.evaluated = delta.id;
    return sealed;
  }

  /** Evaluates the rules of services. @param storeHealth an outage of the store that has just ended, or that it is up */
  async evaluateServices(storeHealth: ServiceHealth): Promise<AlertEvaluation | null> {
    const { store, clock, watches } = this.options;
    const to = clock();
    const facts: ServiceFacts = await loadServiceFacts(store);
    const activity: PipelineActivity = await loadPipelineActivity(store, facts.kinds);
    const measured = measureServices(facts, activity, watches, storeHealth, this.options, to);
    const stored = await this.options.policies.current();
    // While the store was down nothing could be stored: its outage, which the process has seen, counts when it ends.
    const store_down = { ...stored.rules.store_down, for_minutes: 0, violations: 1, evaluations: 1 };
    const policy = { ...stored, rules: { ...stored.rules, store_down } };
    const about = { kind: 'service', to, pipeline_run_id: null, periodMs: SERVICE_PERIOD_MS } as const;
    return this.extend(about, policy, async (previous) => {
      const refused = (previous?.incidents ?? []).flatMap(({ rule, subject, evidence }) =>
        rule === 'experiment_refused' && subject.item ? [[subject.item, evidence.display_name] as const] : [],
      );
      return { signals: serviceSignals(measured, new Map(refused)), observedUntil: null };
    });
  }

  private async extend(
    about: Pick<AlertInput, 'kind' | 'to' | 'pipeline_run_id' | 'periodMs'>,
    policy: AlertPolicy,
    measure: Measure,
  ): Promise<AlertEvaluation | null> {
    const { store, chain, software } = this.options;
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const previous = await chain.newest();
      const newestTo = previous?.last[about.kind];
      if (about.kind === 'data' && newestTo && Date.parse(newestTo) === about.to) return null;
      const input = { ...about, ...(await measure(previous)), software };
      const next = evaluateAlerts(previous, input, policy, await readAlertActions(store), incidentDigest);
      if (!next || (previous && !isWorthSealing(previous, next))) return null;
      if (await chain.seal(next)) {
        for (const { change, incident } of next.transitions)
          publish({ type: 'alert_transition', change, severity: incident.severity });
        this.events.emit('sealed', next, previous);
        return next;
      }
    }
    return null;
  }
}

/** Whether later evaluations, or what people read, depend on this one. */
export function isWorthSealing(previous: AlertEvaluation, next: AlertEvaluation): boolean {
  const slot = (to: string) => Math.floor(Date.parse(to) / QUIET_PERIOD_MS);
  if (next.transitions.length > 0 || slot(next.to) !== slot(previous.to)) return true;
  if (previous.software !== next.software || previous.last[next.kind] === null) return true;
  // Of the services only a duration that is being measured needs each evaluation.
  return next.kind === 'data'
    ? next.incidents.length > 0
    : next.incidents.some(
        ({ subject, state }) => subject.scope === 'service' && ['pending', 'recovering'].includes(state),
      );
}

/** Identifies an incident. */
export const incidentDigest = (text: string): string =>
  createHash('sha256')
    .update(text)
    .digest('base64url')
    .replaceAll(/[^A-Za-z0-9]/g, '')
    .slice(0, 16);
