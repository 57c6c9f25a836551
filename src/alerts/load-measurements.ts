import { type ApplicationIncident, ownerOf } from '../dashboard/describe-incidents.js';
import { explainIncident, limitOf } from '../dashboard/incident.js';
import type { ApplicationHistory } from '../dashboard/judge-rollups.js';
import { type Explanation, loadExplanations, type MetricRef } from '../dashboard/load-explanations.js';
import type { LikelySeries } from '../dashboard/load-likely.js';
import type { PlatformFacts } from '../dashboard/load-platform.js';
import { loadRunTimes, type SeriesRun } from '../dashboard/load-series.js';
import type { FactsAtTime, PlatformFactsReader } from '../dashboard/platform-facts.js';
import type { AlertMetric, AlertRun } from '../domain/alerts/incident.js';
import type {
  ApplicationMeasurement,
  DataMeasurements,
  EndedRun,
  LikelyMeasurement,
  MetricMeasurement,
} from '../domain/alerts/measurements.js';
import { type OwnerRule, ownershipOf } from '../domain/alerts/owners.js';
import { NO_TALLY } from '../domain/alerts/rate-rules.js';
import { MIN_SILENCE_MS, type RunHistory } from '../domain/alerts/silence.js';
import type { Labels } from '../domain/label-change.js';
import { nextBreach } from '../domain/likely-breach.js';
import { dayOf } from '../domain/time.js';
import { readExperiments, type StoredExperiment } from '../state/experiments.js';
import type { QualityFinding } from '../state/quality-findings.js';
import type { Watermarks } from '../state/watermarks.js';
import { loadAllRuns } from './load-all-runs.js';
import { type BadValueRow, type EndedRow, loadTallies, type Tallies, withoutNews } from './load-tallies.js';

export interface MeasurementRequest {
  /** The end of the delta's window, ms. */
  readonly to: number;
  /** A run first observed longer after its end is late, ms. */
  readonly lateMs: number;
  /** Until when runs were observed in the previous evaluation, ms. */
  readonly observedUntil: number;
  readonly owners: readonly OwnerRule[];
  /** null: everything until `to` is published. */
  readonly watermarks: Watermarks | null;
  readonly quality: readonly QualityFinding[];
}

export interface Measured {
  readonly measurements: DataMeasurements;
  /** When the newest run was first observed, ms; null if nobody looked. */
  readonly observedUntil: number | null;
}

/** Metrics whose changed limits are looked up: more lines fit into no message. */
const MAX_EXPLAINED = 15;

/** What is read from published objects besides the facts of the page; equal keys: equal values. */
interface Details {
  readonly key: string;
  readonly tallies: Tallies;
  readonly times: ReadonlyMap<string, readonly number[]>;
  readonly allRuns: RunHistory | null;
  readonly explanations: ReadonlyMap<string, Explanation | undefined>;
}

/**
 * Measures what the data rules are judged from, as far as it is published. Lights, reasons and owners are those of the page.
 * Parquet is read only if something has changed since the last time.
 */
export class MeasurementLoader {
  private details: Details | undefined;

  constructor(private readonly reader: PlatformFactsReader) {}

  async load(request: MeasurementRequest): Promise<Measured> {
    const facts = await this.reader.read(request.to);
    const isUnchanged = this.details?.key === facts.key;
    const details =
      this.details && isUnchanged
        ? { ...this.details, tallies: withoutNews(this.details.tallies) }
        : await loadDetails(this.reader, facts, request);
    this.details = details;
    const experiments = await readExperiments(this.reader.tools.store);
    const { platform } = facts;
    const context: Context = {
      ...request,
      ...details,
      platform,
      tags: { labels: platform.labels, experimentTags: (id) => experiments[id]?.tags ?? {} },
    };
    return {
      observedUntil: details.tallies.observedUntil,
      measurements: {
        to: request.to,
        settings: platform.spans.current.settings,
        applications: platform.judgement.applications.map((each) => describeApplication(each, context)),
        all_runs: details.allRuns,
        metrics: details.tallies.badValues.map((row) => describeMetric(row, context)),
        likely: platform.likely.flatMap((series) => describeLikely(series, request.to)),
        quality: errorsOf(request.quality),
      },
    };
  }
}

async function loadDetails(
  { tools: { store, duck, lateMs } }: PlatformFactsReader,
  { key, published, platform, book }: FactsAtTime,
  request: MeasurementRequest,
): Promise<Details> {
  const { current, days } = platform.spans;
  return duck.session(async (session) => {
    const tallies = await loadTallies(store, session, published, { ...request, span: current });
    const quiet = platform.judgement.applications.flatMap(({ application, last_run }) =>
      last_run !== null && current.to - last_run.time > MIN_SILENCE_MS ? [application] : [],
    );
    const shown = { to: current.to, days: days.map(({ day }) => day) };
    const times = await loadRunTimes(store, session, published, shown, quiet);
    const allRuns = quiet.length === 0 ? null : await loadAllRuns(store, session, published, shown);
    const explained = explainedValues(platform, tallies);
    const explanations = await loadExplanations({ store, session, book, lateMs }, explained.map(refOf));
    return {
      key,
      tallies,
      times,
      allRuns,
      explanations: new Map(explained.map((row, i) => [keyOf(row), explanations[i]])),
    };
  });
}

interface Context extends MeasurementRequest, Omit<Details, 'key' | 'allRuns'> {
  readonly platform: PlatformFacts;
  readonly tags: {
    readonly labels: ReadonlyMap<string, Labels>;
    readonly experimentTags: (id: string) => StoredExperiment['tags'];
  };
}

const keyOf = ({ application, metric_name }: BadValueRow): string =>
  JSON.stringify([application, metric_name]);
const refOf = ({ application, metric_name, run_id, time }: BadValueRow): MetricRef => ({
  day: dayOf(time),
  run_id,
  metric: metric_name,
  application,
});

/** Of an application with a critical light its incident says why. */
function explainedValues({ judgement }: PlatformFacts, { badValues }: Tallies): BadValueRow[] {
  const critical = new Set(
    judgement.applications.flatMap(({ application, now }) => (now.light === 'critical' ? [application] : [])),
  );
  return badValues.filter(({ application }) => !critical.has(application)).slice(0, MAX_EXPLAINED);
}

function describeApplication(each: ApplicationHistory, context: Context): ApplicationMeasurement {
  const { application, last_run, now } = each;
  const { tallies, tags, to, watermarks, owners } = context;
  const incident = context.platform.incidents.find((one) => one.application.application === application);
  const shown = incident?.worst?.incident.last ?? last_run;
  const ended = tallies.ended.get(application) ?? [];
  const [newest] = ended;
  const metrics = tallies.coverage.get(application);
  return {
    application,
    ...ownershipOf(application, shown && ownerOf(shown, tags), owners),
    tally: tallies.applications.get(application) ?? NO_TALLY,
    coverage: metrics ?? null,
    reason: incident?.worst ? reasonOf(incident.worst, context) : null,
    ended: ended.map(endedRun),
    ended_metric: (newest && tallies.criticalMetrics.get(newest.run_id)) ?? null,
    last_run: last_run?.time ?? null,
    running: now.running > 0,
    is_current: !watermarks || !last_run || (watermarks[last_run.experiment_id] ?? 0) >= to,
    times: context.times.get(application) ?? [],
  };
}

const endedRun = ({
  user_id,
  status,
  arrival,
  time,
  run_id,
  run_name,
  experiment_id,
}: EndedRow): EndedRun => ({
  run_id,
  run_name,
  user: user_id,
  experiment_id,
  time: iso(time),
  status,
  arrival,
});

type Worst = NonNullable<ApplicationIncident['worst']>;

function reasonOf({ incident, explanation }: Worst, { tags }: Context): ApplicationMeasurement['reason'] {
  const { first, last } = incident;
  const { cause, why } = explainIncident(incident, tags.labels, explanation);
  return {
    since: first.time,
    cause,
    why,
    ...limitChange(cause, explanation),
    run: runOf(last),
    metric: metricOf(last, limitOf(last, last.status)),
  };
}

/** The limit before, and who changed it, if the changed limit is the cause. */
function limitChange(cause: Explanation['cause'], explanation: Explanation | undefined) {
  if (cause !== 'new_threshold' || !explanation) return { limit_before: null, limit_changed_by: null };
  const { current, previous } = explanation;
  return {
    limit_before: previous && limitOf(previous, current.status),
    limit_changed_by: current.threshold_updated_by,
  };
}

const metricOf = (
  {
    metric_name,
    display_name,
    unit,
    value,
  }: Pick<AlertMetric, 'metric_name' | 'display_name' | 'unit' | 'value'>,
  limit: number | null,
): AlertMetric => ({ metric_name, display_name, unit, value, limit });

const runOf = ({ run_id, run_name, user_id, experiment_id, time }: SeriesRun): AlertRun => ({
  run_id,
  run_name,
  user: user_id,
  experiment_id,
  time: iso(time),
});

function describeMetric(row: BadValueRow, { tallies, explanations }: Context): MetricMeasurement {
  const { application, metric_name, higher_is_better, run_id, run_name, user_id, experiment_id, time } = row;
  const explanation = explanations.get(keyOf(row));
  const cause = explanation?.cause ?? null;
  return {
    application,
    metric_name,
    tally: tallies.metrics.get(keyOf(row)) ?? NO_TALLY,
    newest: {
      ...metricOf(row, limitOf(row, row.status)),
      higher_is_better,
      run: { run_id, run_name, user: user_id, experiment_id, time: iso(time) },
    },
    reason: { cause, ...limitChange(cause, explanation) },
  };
}

function describeLikely(series: LikelySeries, to: number): LikelyMeasurement[] {
  const next = nextBreach(series, to);
  const last = series.runs.findLast(({ value, time }) => value !== null && time <= series.fitted_at);
  if (!next || !last) return [];
  return [
    {
      application: series.application,
      metric: { ...metricOf(last, limitOf(last, next.status)), higher_is_better: last.higher_is_better },
      status: next.status,
      expected: next.expected,
      run: runOf(last),
    },
  ];
}

/** Findings of severity error. Where applications have their own, the one about all of them says nothing more. */
function errorsOf(findings: readonly QualityFinding[]): DataMeasurements['quality'] {
  const errors = findings.filter(({ severity }) => severity === 'error');
  const divided = new Set(errors.flatMap(({ check_name, application }) => (application ? [check_name] : [])));
  return errors
    .filter(({ check_name, application }) => application !== null || !divided.has(check_name))
    .map(({ check_name, application, affected_rows, meaning, since }) => ({
      check_name,
      application,
      affected: affected_rows,
      meaning,
      since,
    }));
}

const iso = (ms: number): string => new Date(ms).toISOString();
