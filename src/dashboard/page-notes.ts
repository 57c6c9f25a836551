import { formatDate, formatPeriod } from '../domain/format.js';
import type { DomainSettings } from '../domain/model.js';
import { createFilter } from '../domain/pattern-index.js';
import { finish } from '../domain/steps.js';
import type { StoredExperiment } from '../state/experiments.js';
import type { MisdatedDays } from './load-misdated.js';
import { SILENT_AFTER_MS, type SilentRun } from './load-uncounted.js';

/** Sentences about what is stored or exists, and is not in the statuses. For the page: they contain no addresses. */

const MAX_NAMED = 3;

/** `a, b, c and 4 more` */
function namesOf(names: readonly string[]): string {
  const more = names.length - MAX_NAMED;
  return names.slice(0, MAX_NAMED).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

const countOf = (count: number, one: string): string => (count === 1 ? `1 ${one}` : `${count} ${one}s`);

/** Why an application without data needs attention: a run of it seems to have died. */
export const whyUnended = ({ run_name, time, logged }: SilentRun): string =>
  `The run ${run_name} has not ended since ${formatDate(time)} and ${
    logged === null ? 'has logged no metric' : `logged its last metric on ${formatDate(logged)}`
  }: its process has probably died. Then end it in MLflow.`;

/**
 * Problems with the runs that are stored.
 * @param stored `silent`: runs that seem to have died, oldest first; `later`: runs of today after the current hour
 * @param quarantined records in quarantine
 */
export function runNotes(
  { silent, later }: { readonly silent: readonly SilentRun[]; readonly later: number },
  { early, future }: MisdatedDays,
  quarantined: number,
): string[] {
  const notes: string[] = [];
  if (silent.length > 0) {
    const named = silent.map(
      ({ run_name, application, time }) => `${run_name} of ${application}, since ${formatDate(time)}`,
    );
    const [have, they] = silent.length === 1 ? ['has', 'it'] : ['have', 'they'];
    notes.push(
      `${countOf(silent.length, 'run')} ${have} not ended and logged no metric for ${formatPeriod(SILENT_AFTER_MS)} or more (${namesOf(named)}). ` +
        `If the processes have died, end the runs in MLflow; until then ${they} ${silent.length === 1 ? 'is' : 'are'} not counted.`,
    );
  }
  if (early.length > 0) {
    notes.push(
      `Runs that started on ${namesOf(early)} by their start_time are stored and in no status: ` +
        'such a time is wrong, for example seconds in place of milliseconds.',
    );
  }
  if (later > 0 || future.length > 0) {
    const ahead = later > 0 ? ['later today', ...future] : future;
    notes.push(
      `By their start_time, runs start in the future (${namesOf(ahead)}): they are stored and in no status before that time. ` +
        'Such a time is wrong, for example by the clock or the time zone of the computer that logged them.',
    );
  }
  if (quarantined > 0) {
    notes.push(
      `${countOf(quarantined, 'record')} of MLflow cannot be read and ${quarantined === 1 ? 'is' : 'are'} in quarantine, in no status: ` +
        'mlflow-monitor quarantine list shows them with the reasons.',
    );
  }
  return notes;
}

/** What the settings leave out. */
export function scopeNotes(
  experiments: Readonly<Record<string, StoredExperiment>>,
  scope: Pick<
    DomainSettings,
    'experiment_include' | 'experiment_exclude' | 'metric_include' | 'metric_exclude'
  >,
): string[] {
  const isIncluded = finish(createFilter(scope.experiment_include, scope.experiment_exclude));
  const excluded = Object.values(experiments)
    .filter(({ listed, name }) => listed && !isIncluded(name))
    .map(({ name }) => name)
    .sort();
  const notes: string[] = [];
  if (excluded.length > 0) {
    notes.push(
      `${countOf(excluded.length, 'experiment')} of MLflow ${excluded.length === 1 ? 'is' : 'are'} excluded by EXPERIMENT_INCLUDE and EXPERIMENT_EXCLUDE: ${namesOf(excluded)}.`,
    );
  }
  const { metric_include, metric_exclude } = scope;
  const metrics = [
    metric_include.length === 0
      ? ''
      : `Only metrics like ${namesOf(metric_include)} are judged (METRIC_INCLUDE).`,
    metric_exclude.length === 0
      ? ''
      : `Metrics like ${namesOf(metric_exclude)} are not judged (METRIC_EXCLUDE).`,
  ];
  return [...notes, ...metrics.filter((note) => note !== '')];
}

/** How late a change after the end of a run is shown. */
export function describeLateChanges(endedSince: number | null, lookbackDays: number): string {
  const hourly =
    endedSince === null ? '' : ` within an hour if the run ended after ${formatDate(endedSince)}, else`;
  return (
    `What is logged after the end of a run is shown${hourly} within a day if the run started in the last ${lookbackDays} days, ` +
    'else after a backfill.'
  );
}
