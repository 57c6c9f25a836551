import { filesOf, listAll, listPublished, type Published } from '../dashboard/published-objects.js';
import type { AlertEvidence } from '../domain/alerts/incident.js';
import type { Arrival, Tally } from '../domain/alerts/measurements.js';
import { NO_TALLY } from '../domain/alerts/rate-rules.js';
import { groupBy } from '../domain/group-by.js';
import { addCounts, NO_RUNS } from '../domain/light.js';
import type { MetricStatus, RunCounts, Window } from '../domain/model.js';
import { ATTENTION_SPAN_MS } from '../domain/needs-attention.js';
import { dayOf, daysOf } from '../domain/time.js';
import { type DuckSession, sql } from '../storage/duck.js';
import type { ObjectStore } from '../storage/object-store.js';

interface TallyRow extends Omit<RunCounts, 'running' | 'failed'> {
  readonly application: string;
  readonly arrival: Arrival;
  readonly newest: number;
}

/** A judged run that ended in the span; times in ms. */
export interface EndedRow {
  readonly application: string;
  readonly run_id: string;
  readonly run_name: string;
  readonly user_id: string | null;
  readonly experiment_id: string;
  readonly status: MetricStatus;
  readonly arrival: Arrival;
  readonly time: number;
  readonly ended: number;
}

/** The newest critical or invalid value of a metric in the span; `time` in ms. */
export interface BadValueRow {
  readonly application: string;
  readonly metric_name: string;
  readonly display_name: string;
  readonly unit: string | null;
  readonly higher_is_better: boolean | null;
  readonly value: number | null;
  readonly status: MetricStatus;
  readonly critical_threshold: number | null;
  readonly warning_threshold: number | null;
  readonly run_id: string;
  readonly run_name: string;
  readonly user_id: string | null;
  readonly experiment_id: string;
  readonly time: number;
}

/** The first critical metric of a run. */
export interface CriticalMetricRow {
  readonly run_id: string;
  readonly metric_name: string;
  readonly display_name: string;
  readonly unit: string | null;
  readonly higher_is_better: boolean | null;
  readonly value: number | null;
  readonly limit: number | null;
}

/** The runs of the current span, each by when it was first observed. */
export interface Tallies {
  readonly applications: ReadonlyMap<string, Tally>;
  /** By `[application, metric]` as JSON. */
  readonly metrics: ReadonlyMap<string, Tally>;
  /** By application. */
  readonly coverage: ReadonlyMap<string, NonNullable<AlertEvidence['coverage']>>;
  readonly ended: ReadonlyMap<string, readonly EndedRow[]>;
  readonly badValues: readonly BadValueRow[];
  readonly criticalMetrics: ReadonlyMap<string, CriticalMetricRow>;
  /** When the newest run was first observed, ms; null if nothing was looked up. */
  readonly observedUntil: number | null;
}

export interface TalliesRequest {
  /** The current span of the lights. */
  readonly span: Window;
  /** The end of the delta's window, ms. */
  readonly to: number;
  /** A run first observed longer after its end is late, ms. */
  readonly lateMs: number;
  /** Until when runs were observed in the previous evaluation, ms. */
  readonly observedUntil: number;
}

/** The newest judged runs of an application that `newest_run` considers. */
const MAX_ENDED = 20;
const statement = (name: string) => sql(import.meta.url, `./sql/${name}.sql`);
const NOTHING: Tallies = {
  applications: new Map(),
  metrics: new Map(),
  coverage: new Map(),
  ended: new Map(),
  badValues: [],
  criticalMetrics: new Map(),
  observedUntil: null,
};

/** A run that has just ended may have started many days ago. */
const READ_MS = ATTENTION_SPAN_MS;

export async function loadTallies(
  store: ObjectStore,
  session: DuckSession,
  published: Published,
  { span, to, lateMs, observedUntil }: TalliesRequest,
): Promise<Tallies> {
  const days = daysOf({ from: to - READ_MS, to: span.to });
  const runs = await filesOf(store, published, 'runs', days);
  const enriched = await filesOf(store, published, 'enriched_metrics', daysOf(span));
  if (runs.length === 0 || enriched.length === 0) return NOTHING;
  const bounds = { from: BigInt(span.from), to: BigInt(span.to) };
  const ended = { runs, from: BigInt(to - (span.to - span.from)), to: BigInt(to), count: MAX_ENDED };
  const badValues = await session.rows<BadValueRow>(statement('newest_bad_values'), { enriched, ...bounds });
  await session.run(statement('no_late_runs'));
  const candidates = await session.rows<EndedRow>(statement('ended_runs'), ended);
  // Without bad values nothing can fire, so nobody needs to know what is late.
  const isBad = badValues.length > 0 || candidates.some(({ status }) => status === 'critical');
  const base = isBad
    ? await baseFiles(store, [...daysOf(span), ...candidates.map(({ time }) => dayOf(time))])
    : [];
  let observed: number | null = null;
  if (base.length > 0) {
    const times = { late: BigInt(lateMs), observed: BigInt(observedUntil) };
    await session.run(statement('late_runs'), { base, ...times });
    const [row] = await session.rows<{ observed_until: number | null }>(statement('observed_until'), {
      base,
    });
    observed = row?.observed_until ?? null;
  }
  const applications = await session.rows<TallyRow>(statement('application_tallies'), { runs, ...bounds });
  const metrics = await session.rows<TallyRow & { metric_name: string }>(statement('metric_tallies'), {
    enriched,
    ...bounds,
  });
  const endedRows = await session.rows<EndedRow>(statement('ended_runs'), ended);
  const byApplication = groupBy(endedRows, ({ application }) => application);
  const newest = [...byApplication.values()].flatMap(([first]) =>
    first?.status === 'critical' ? [first] : [],
  );
  return {
    applications: talliesBy(applications, ({ application }) => application),
    metrics: talliesBy(metrics, ({ application, metric_name }) => JSON.stringify([application, metric_name])),
    coverage: coverageOf(metrics),
    ended: byApplication,
    badValues,
    criticalMetrics: await criticalMetrics(store, session, published, newest),
    observedUntil: observed,
  };
}

async function baseFiles(store: ObjectStore, days: readonly string[]): Promise<string[]> {
  const distinct = [...new Set(days)].sort();
  const base = await listPublished((prefix) => listAll(store, prefix), ['_base'], distinct);
  return filesOf(store, base, '_base', distinct);
}

async function criticalMetrics(
  store: ObjectStore,
  session: DuckSession,
  published: Published,
  runs: readonly EndedRow[],
): Promise<Map<string, CriticalMetricRow>> {
  const days = [...new Set(runs.map(({ time }) => dayOf(time)))].sort();
  const enriched = await filesOf(store, published, 'enriched_metrics', days);
  if (enriched.length === 0) return new Map();
  const rows = await session.rows<CriticalMetricRow>(statement('critical_metrics'), {
    enriched,
    run_ids: runs.map(({ run_id }) => run_id),
  });
  return new Map(rows.map((row) => [row.run_id, row]));
}

function talliesBy<Row extends TallyRow>(
  rows: readonly Row[],
  keyOf: (row: Row) => string,
): Map<string, Tally> {
  const tallies = new Map<string, Tally>();
  for (const row of rows) {
    const { counts, newest } = tallies.get(keyOf(row)) ?? NO_TALLY;
    const { total, critical, invalid, warning, healthy, unmonitored } = row;
    const own = { ...NO_RUNS, total, critical, invalid, warning, healthy, unmonitored };
    tallies.set(keyOf(row), {
      counts: { ...counts, [row.arrival]: own },
      newest: Math.max(row.newest, newest ?? row.newest),
    });
  }
  return tallies;
}

/** A metric is monitored if a value of the span was judged. */
function coverageOf(rows: readonly (TallyRow & { metric_name: string })[]): Tallies['coverage'] {
  const byApplication = groupBy(rows, ({ application }) => application);
  const namesOf = (some: typeof rows) => new Set(some.map(({ metric_name }) => metric_name)).size;
  return new Map(
    [...byApplication].map(([application, own]) => {
      const monitored = namesOf(own.filter(({ total, unmonitored }) => total > unmonitored));
      return [application, { monitored, all: namesOf(own) }];
    }),
  );
}

/** The same runs in a later evaluation: those that arrived late are not new any more. */
export function withoutNews({ applications, metrics, ended, ...rest }: Tallies): Tallies {
  const known = ({ counts, newest }: Tally): Tally => ({
    counts: { ...counts, late: addCounts(counts.late, counts.new_late), new_late: NO_RUNS },
    newest,
  });
  const mapped = (tallies: ReadonlyMap<string, Tally>) =>
    new Map([...tallies].map(([key, tally]) => [key, known(tally)]));
  const seen = (row: EndedRow): EndedRow => (row.arrival === 'new_late' ? { ...row, arrival: 'late' } : row);
  return {
    ...rest,
    applications: mapped(applications),
    metrics: mapped(metrics),
    ended: new Map([...ended].map(([key, rows]) => [key, rows.map(seen)])),
  };
}
