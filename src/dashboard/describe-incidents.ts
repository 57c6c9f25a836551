import type { Labels } from '../domain/label-change.js';
import type { Light } from '../domain/model.js';
import { noDataSince } from '../domain/needs-attention.js';
import { usualPeriod } from '../domain/run-frequency.js';
import { compareText } from '../domain/text.js';
import { dayOf } from '../domain/time.js';
import { whySilent } from '../domain/why.js';
import type { Attention, RunLink } from './contract.js';
import { explainIncident, type Incident, sparkline } from './incident.js';
import type { ApplicationHistory } from './judge-rollups.js';
import type { Explanation } from './load-explanations.js';
import type { JudgedSpan } from './load-rollups.js';
import type { MetricRow, SeriesRun } from './load-series.js';
import { whyUnended } from './page-notes.js';

/** An application that needs attention, and the incident of its worst metric. */
export interface ApplicationIncident {
  readonly application: ApplicationHistory;
  /** null if no metric is responsible. */
  readonly worst: {
    readonly metric: MetricRow;
    readonly runs: readonly SeriesRun[];
    readonly incident: Incident;
    /** Why the first run of the incident has its status. */
    readonly explanation: Explanation | undefined;
  } | null;
  /** The times of its runs, ms; only of an application without data. */
  readonly times: readonly number[];
}

export interface IncidentContext {
  readonly current: JudgedSpan;
  readonly labels: ReadonlyMap<string, Labels>;
  readonly experimentTags: (experimentId: string) => Labels;
  readonly link: (run: MlflowRunRef) => RunLink;
}

export interface MlflowRunRef {
  readonly run_id: string;
  readonly run_name: string;
  readonly experiment_id: string;
  readonly time: number;
}

const ORDER: readonly Light[] = ['critical', 'warning', 'no_data'];

/** The list *needs attention*: worst light first, then the newest incident, then by name. */
export function describeIncidents(
  incidents: readonly ApplicationIncident[],
  context: IncidentContext,
): Attention[] {
  return incidents
    .map((each) => describeIncident(each, context))
    .sort(
      (a, b) =>
        ORDER.indexOf(a.light) - ORDER.indexOf(b.light) ||
        compareText(b.since ?? '', a.since ?? '') ||
        compareText(a.application, b.application),
    );
}

function describeIncident(
  { application, worst, times }: ApplicationIncident,
  context: IncidentContext,
): Attention {
  const { last_run, now, silent: unended } = application;
  const silent = now.light === 'no_data' && last_run !== null;
  const shown = worst?.incident.last ?? unended ?? last_run;
  const reason = worst
    ? explainIncident(worst.incident, context.labels, worst.explanation)
    : { cause: null, why: null };
  const since = silent
    ? noDataSince(last_run.time, context.current.settings.light_span_hours)
    : (worst?.incident.first.time ?? unended?.time ?? null);
  return {
    application: application.application,
    owner: shown && ownerOf(shown, context),
    light: now.light,
    reason: now.reason,
    since: since === null ? null : new Date(since).toISOString(),
    since_before: worst?.incident.began_before ?? false,
    metric: worst && metricOf(worst, context.current.to),
    run: shown && context.link(shown),
    cause: reason.cause,
    why: unended
      ? whyUnended(unended)
      : silent
        ? whySilent(last_run.time, context.current.to, usualPeriod(times))
        : reason.why,
    explanation: worst && explanationPath(worst.incident.first),
  };
}

function explanationPath({ time, run_id, metric_name }: SeriesRun): string {
  return `/api/v1/explanation?${new URLSearchParams({ day: dayOf(time), run_id, metric: metric_name })}`;
}

function metricOf(
  { metric, runs, incident }: NonNullable<ApplicationIncident['worst']>,
  to: number,
): Attention['metric'] {
  const { last } = incident;
  return {
    name: metric.metric_name,
    display_name: last.display_name,
    unit: last.unit,
    higher_is_better: last.higher_is_better,
    critical: metric.critical,
    invalid: metric.invalid,
    warning: metric.warning,
    status: last.status,
    value: last.value,
    invalid_kind: last.invalid_kind,
    critical_threshold: last.critical_threshold,
    warning_threshold: last.warning_threshold,
    points: sparkline(runs, last, to).map(({ time, value }) => ({ at: new Date(time).toISOString(), value })),
  };
}

/** The tag `owner`, else `team`. A run's tag takes precedence over its experiment's tag of the same name. */
export function ownerOf(
  { run_id, experiment_id }: MlflowRunRef,
  { labels, experimentTags }: Pick<IncidentContext, 'labels' | 'experimentTags'>,
): string | null {
  const tags = { ...experimentTags(experiment_id), ...labels.get(run_id) };
  return tags.owner?.trim() || tags.team?.trim() || null;
}
