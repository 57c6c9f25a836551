import { domainSettings, type Settings } from '../config/settings.js';
import type { DomainSettings } from '../domain/model.js';
import { createFilter } from '../domain/pattern-index.js';
import { finish } from '../domain/steps.js';
import type { CatalogState } from './catalog-state.js';
import type { ServiceFacts } from './service-facts.js';

/** Service status: computed here, shown by the page, the REST API, `/health` and `/metrics`. */

/** Without a successful pipeline run for more than this many delta periods, the published data is stale. */
const STALE_AFTER_PERIODS = 3;

export interface StatusOptions {
  /** Used until a scheduler has stored its settings. */
  readonly scope: Pick<DomainSettings, 'experiment_include' | 'experiment_exclude'>;
  readonly deltaPeriodMs: number;
}

export const statusOptions = (settings: Settings): StatusOptions => ({
  scope: domainSettings(settings),
  deltaPeriodMs: settings.DELTA_SCHEDULE_MINUTES * 60_000,
});

/** `current`: published as far as any other; `lagging`: less far; `unread`: nothing of it is published yet. */
export const EXPERIMENT_STATES = ['current', 'lagging', 'unread'] as const;
export type ExperimentState = (typeof EXPERIMENT_STATES)[number];

export interface ExperimentStatus {
  readonly experiment_id: string;
  readonly name: string;
  readonly state: ExperimentState;
  /** ms; null if `unread`. */
  readonly watermark: number | null;
}

export interface CatalogStatus {
  /** Whether the last request succeeded; null if there was none. */
  readonly up: boolean | null;
  /** The last complete response, ms; null if there was none. */
  readonly lastSuccess: number | null;
  /** Rows of that response that cannot be used. */
  readonly rejectedRows: number;
  /** null while `up` is not false. */
  readonly outage: CatalogOutage | null;
}

export interface CatalogOutage {
  /** For the page, without addresses: a clause that starts with "the catalog". */
  readonly reason: string;
  /** The message of the error, for operators. */
  readonly message: string;
  /** Whether runs are not judged yet because the catalog was never queried for their metrics or experiments. */
  readonly waiting: boolean;
}

export interface ServiceStatus {
  /** The end of the last pipeline run that left the data as MLflow had it, ms; null if there was none. */
  readonly lastFinished: number | null;
  readonly stale: boolean;
  /** The experiments that are listed and in scope. */
  readonly experiments: readonly ExperimentStatus[];
  /** The age of their oldest watermark, ms; null if they have none. */
  readonly lagMs: number | null;
  readonly catalog: CatalogStatus;
}

/** @param now ms */
export function serviceStatus(
  facts: ServiceFacts,
  { scope, deltaPeriodMs }: StatusOptions,
  now: number,
): ServiceStatus {
  const lastFinished = lastFinishedOf(facts);
  const experiments = experimentStatuses(facts, facts.judging?.settings ?? scope);
  return {
    lastFinished,
    stale: lastFinished === null || now - lastFinished > STALE_AFTER_PERIODS * deltaPeriodMs,
    experiments,
    lagMs: watermarkLag(experiments, now),
    catalog: catalogStatus(facts.catalog),
  };
}

/** A bootstrap counts as well: it fetches everything that a delta would have fetched. */
function lastFinishedOf({ kinds }: Pick<ServiceFacts, 'kinds'>): number | null {
  const times = [kinds.delta.last_finished, kinds.bootstrap.last_finished].filter((time) => time !== null);
  return times.length === 0 ? null : Math.max(...times);
}

/** The newest watermark, by which the others are measured, may belong to an experiment out of scope. */
function experimentStatuses(
  { experiments, watermarks }: Pick<ServiceFacts, 'experiments' | 'watermarks'>,
  scope: StatusOptions['scope'],
): ExperimentStatus[] {
  const newest = Object.values(watermarks).reduce((max, watermark) => Math.max(max, watermark), 0);
  const isIncluded = finish(createFilter(scope.experiment_include, scope.experiment_exclude));
  return Object.entries(experiments).flatMap(([experiment_id, { listed, name }]) => {
    if (!listed || !isIncluded(name)) return [];
    const watermark = watermarks[experiment_id] ?? null;
    const state = watermark === null ? 'unread' : watermark < newest ? 'lagging' : 'current';
    return [{ experiment_id, name, state, watermark }];
  });
}

/** Not negative where clocks differ. */
function watermarkLag(experiments: readonly ExperimentStatus[], now: number): number | null {
  const watermarks = experiments.flatMap(({ watermark }) => watermark ?? []);
  const oldest = watermarks.reduce((min, watermark) => Math.min(min, watermark), Number.POSITIVE_INFINITY);
  return watermarks.length === 0 ? null : Math.max(0, now - oldest);
}

export function countByState(
  experiments: readonly ExperimentStatus[],
): Readonly<Record<ExperimentState, number>> {
  const counts = { current: 0, lagging: 0, unread: 0 };
  for (const { state } of experiments) counts[state]++;
  return counts;
}

export interface DeniedExperiment {
  readonly experiment_id: string;
  readonly message: string;
}

/**
 * The experiments whose newest runs are missing: those that lag, and those that are unread because MLflow denies access.
 * Other unread experiments are new. If there are any, the published data is partial.
 * @param denied those of the last successful pipeline run
 */
export function missingExperiments(
  experiments: readonly ExperimentStatus[],
  denied: readonly DeniedExperiment[],
): (ExperimentStatus & { readonly message: string | null })[] {
  const messages = new Map(denied.map(({ experiment_id, message }) => [experiment_id, message]));
  return experiments.flatMap((experiment) => {
    const message = messages.get(experiment.experiment_id) ?? null;
    const missing = experiment.state === 'lagging' || (experiment.state === 'unread' && message !== null);
    return missing ? [{ ...experiment, message }] : [];
  });
}

/** By error code. */
const OUTAGE_REASONS: Readonly<Record<string, string>> = {
  catalog_refused: 'the catalog rejects requests',
  catalog_unreadable: 'the catalog cannot be read',
  catalog_too_big: 'the catalog sends responses that are too large',
};

function catalogStatus(catalog: CatalogState): CatalogStatus {
  const { last_success, last_error } = catalog;
  return {
    up: last_error ? false : last_success === null ? null : true,
    lastSuccess: last_success,
    rejectedRows: catalog.refused,
    outage: last_error && outageOf(last_error, catalog.awaited),
  };
}

function outageOf(
  { code, status, message }: NonNullable<CatalogState['last_error']>,
  waiting: boolean,
): CatalogOutage {
  const reason = OUTAGE_REASONS[code] ?? 'the catalog is unavailable';
  return { reason: status === null ? reason : `${reason} (HTTP ${status})`, message, waiting };
}
