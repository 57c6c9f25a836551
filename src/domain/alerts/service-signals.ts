import { type AlertRule, type AlertSubject, NO_EVIDENCE } from './incident.js';
import type { AlertSignal, Verdict } from './signal.js';

/** Whether a service answers. `null`: no request was made. */
export interface ServiceHealth {
  readonly up: boolean | null;
  /** For people, without addresses; null if it is up. */
  readonly reason: string | null;
  /** When it stopped, ms; null if that is unknown. */
  readonly since: number | null;
}

export interface RefusedExperiment {
  readonly experiment_id: string;
  readonly name: string;
  readonly message: string | null;
}

/** What is known about the services that this one needs. */
export interface ServiceMeasurements {
  readonly mlflow: ServiceHealth;
  readonly catalog: ServiceHealth;
  readonly store: ServiceHealth;
  readonly queue: ServiceHealth;
  readonly refused: readonly RefusedExperiment[];
}

const SERVICE: AlertSubject = { scope: 'service', application: null, metric: null, item: null };

/** What the service rules say. An experiment that is no longer refused is met. @param openItems ids of the refused ones before */
export function serviceSignals(
  measured: ServiceMeasurements,
  openItems: ReadonlyMap<string, string | null>,
): AlertSignal[] {
  const refused = new Map(measured.refused.map((each) => [each.experiment_id, each]));
  const gone = [...openItems].filter(([id]) => !refused.has(id));
  return [
    healthSignal('mlflow_down', measured.mlflow),
    healthSignal('catalog_down', measured.catalog),
    healthSignal('store_down', measured.store),
    healthSignal('queue_down', measured.queue),
    ...measured.refused.map(({ experiment_id, name, message }) =>
      serviceSignal('experiment_refused', 'violated', { item: experiment_id, name, why: message }),
    ),
    ...gone.map(([item, name]) => serviceSignal('experiment_refused', 'met', { item, name, why: null })),
  ];
}

function healthSignal(rule: AlertRule, { up, reason, since }: ServiceHealth): AlertSignal {
  const verdict = up === null ? 'no_data' : up ? 'met' : 'violated';
  const signal = serviceSignal(rule, verdict, { item: null, name: null, why: reason });
  return { ...signal, since: since === null ? null : new Date(since).toISOString() };
}

function serviceSignal(
  rule: AlertRule,
  verdict: Verdict,
  about: { readonly item: string | null; readonly name: string | null; readonly why: string | null },
): AlertSignal {
  return {
    rule,
    subject: { ...SERVICE, item: about.item },
    verdict,
    verdict_on_time: verdict,
    verdict_before_late: verdict,
    since: null,
    window: null,
    evidence: { ...NO_EVIDENCE, display_name: about.name, why: about.why },
    owner: null,
    contact: null,
    runbook: null,
  };
}
