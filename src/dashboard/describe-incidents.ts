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

/** What is known of an application that needs attention. */
export interface ApplicationIncident {
  readonly application: ApplicationHistory;
  /** null: no metric is to blame. */
  readonly worst: {
    readonly metric: MetricRow;
    readonly runs: readonly SeriesRun[];
    readonly turn: Incident;
    /** Why the first run of the turn has its status. */
    readonly explanation: Explanation | undefined;
  } | null;
  /** The times of its runs, ms, where it went silent. */
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

/** The list *needs attention*: the worst light first, of equal lights the newest trouble, then by name. */
export function describeIncidents(cases: readonly ApplicationIncident[], file: IncidentContext): Attention[] {
  return cases
    .map((each) => describeCase(each, file))
    .sort(
      (a, b) =>
        ORDER.indexOf(a.light) - ORDER.indexOf(b.light) ||
        compareText(b.since ?? '', a.since ?? '') ||
        compareText(a.application, b.application),
    );
}

function describeCase({ application, worst, times }: ApplicationIncident, file: IncidentContext): Attention {
  const { last_run, now } = application;
  const silent = now.light === 'no_data' && last_run !== null;
  const shown = worst?.turn.last ?? last_run;
  const reason = worst
    ? explainIncident(worst.turn, file.labels, worst.explanation)
    : { cause: null, why: null };
  const since = silent
    ? noDataSince(last_run.time, file.current.settings.light_span_hours)
    : (worst?.turn.first.time ?? null);
  return {
    application: application.application,
    owner: shown && ownerOf(shown, file),
    light: now.light,
    reason: now.reason,
    since: since === null ? null : new Date(since).toISOString(),
    since_before: worst?.turn.began_before ?? false,
    metric: worst && metricOf(worst, file.current.to),
    run: shown && file.link(shown),
    cause: reason.cause,
    why: silent ? whySilent(last_run.time, file.current.to, usualPeriod(times)) : reason.why,
    explanation: worst && explanationOf(worst.turn.first),
  };
}

/** Where the facts behind the cause are. */
function explanationOf({ time, run_id, metric_name }: SeriesRun): string {
  return `/api/v1/explanation?${new URLSearchParams({ day: dayOf(time), run_id, metric: metric_name })}`;
}

function metricOf(
  { metric, runs, turn }: NonNullable<ApplicationIncident['worst']>,
  to: number,
): Attention['metric'] {
  const { last } = turn;
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

/** Who owns the application, as a tag `owner` or `team` of the run says, else of its experiment. */
function ownerOf(
  { run_id, experiment_id }: MlflowRunRef,
  { labels, experimentTags }: IncidentContext,
): string | null {
  const tags = { ...experimentTags(experiment_id), ...labels.get(run_id) };
  return tags.owner?.trim() || tags.team?.trim() || null;
}
