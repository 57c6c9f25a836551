import { dayOf, MS_PER_HOUR } from '../time.js';
import type { CountedCheck } from './checks.js';

/** Records that a check looked at, those among them that are wrong, and some of these as JSON. */
export interface Count {
  readonly rows: number;
  readonly affected: number;
  /** JSON, a list. */
  readonly sample: string;
}

export interface RunningRun {
  readonly run_id: string;
  readonly application: string;
  readonly experiment_id: string;
  /** ms */
  readonly started: number;
}

/** What was measured on the published objects of one UTC day. */
export interface DayMeasures {
  /** By check and application; the empty application has records of which it is unknown. */
  readonly counts: Readonly<Record<CountedCheck, Readonly<Record<string, Count>>>>;
  /** By application: the runs of the day that are not children, and the time of the newest one (ms). */
  readonly runs: Readonly<Record<string, { readonly count: number; readonly newest: number }>>;
  readonly running: readonly RunningRun[];
}

/** What is usual, from the days before one. */
export interface Baseline {
  /** The UTC day that it is compared with; it is computed from the days before. */
  readonly day: string;
  /** By application: the usual number of runs on the weekday of the day before `day`. */
  readonly runs: Readonly<Record<string, number>>;
  /** By application: the usual time between its runs, ms. */
  readonly periods: Readonly<Record<string, number>>;
  /** By application: the start of the hour of its newest run, ms. */
  readonly newest: Readonly<Record<string, number>>;
  /** By experiment id: the median duration of its runs, ms. */
  readonly durations: Readonly<Record<string, number>>;
  /** Runs of those days that had not ended. */
  readonly running: readonly RunningRun[];
}

/** A value of a check: of all applications together (`null`) or of one. */
export interface Measurement {
  readonly application: string | null;
  /** `null`: there is nothing to measure. In the unit of the check. */
  readonly measured: number | null;
  readonly affected: number;
  /** JSON, a list. */
  readonly sample: string;
}

const NO_SAMPLE = '[]';
const MAX_SAMPLE = 5;

/** Rounded to 3 decimals, so that equal counts give equal values in every reader. */
const rounded = (value: number): number => Math.round(value * 1_000) / 1_000;

/** How a check measures counts: a share of wrong records, the share of right ones, or a number. */
const SHARE_OF: Readonly<Record<CountedCheck, 'wrong' | 'right' | 'none'>> = {
  null_values: 'wrong',
  duplicate_records: 'none',
  metric_ranges: 'wrong',
  schema_compliance: 'none',
  threshold_order: 'none',
  catalog_coverage: 'right',
};

function measuredOf(check: CountedCheck, { rows, affected }: Count): number | null {
  const share = SHARE_OF[check];
  if (share === 'none') return affected;
  if (rows === 0) return null;
  return rounded((100 * (share === 'wrong' ? affected : rows - affected)) / rows);
}

/** The values of a check that counts records: of all together first, then by application. */
export function measureCounts(
  check: CountedCheck,
  days: readonly Pick<DayMeasures, 'counts'>[],
): Measurement[] {
  const sums = new Map<string, Count>();
  let total: Count = { rows: 0, affected: 0, sample: NO_SAMPLE };
  for (const { counts } of days) {
    for (const [application, count] of Object.entries(counts[check])) {
      sums.set(application, add(sums.get(application), count));
      total = add(total, count);
    }
  }
  const toMeasurement = (application: string | null, count: Count): Measurement => ({
    application,
    measured: measuredOf(check, count),
    affected: count.affected,
    sample: count.sample,
  });
  const named = [...sums].filter(([application]) => application !== '').sort(byName);
  return [
    toMeasurement(null, total),
    ...named.map(([application, count]) => toMeasurement(application, count)),
  ];
}

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number =>
  a < b ? -1 : a > b ? 1 : 0;

function add(first: Count | undefined, second: Count): Count {
  if (!first) return second;
  return {
    rows: first.rows + second.rows,
    affected: first.affected + second.affected,
    // The newest days come first.
    sample: first.sample === NO_SAMPLE ? second.sample : first.sample,
  };
}

/** Shorter pauses than this times the limit are no gap: a job may be restarted, or be moved within a day. */
const SHORTEST_PERIOD_MS = 8 * MS_PER_HOUR;

/** How long ago an application last ran, as a multiple of its usual period. Without a known period it is not judged. */
export function measureFreshness(
  { periods, newest }: Pick<Baseline, 'periods' | 'newest'>,
  days: readonly Pick<DayMeasures, 'runs'>[],
  at: number,
): Measurement[] {
  const each = Object.entries(periods).map(([application, period]): Measurement => {
    const times = days.map(({ runs }) => runs[application]?.newest ?? 0);
    const last = Math.max(newest[application] ?? 0, ...times);
    const measured = rounded(Math.max(0, at - last) / Math.max(period, SHORTEST_PERIOD_MS));
    const sample = JSON.stringify([{ newest_run: new Date(last).toISOString(), usual_hours: hours(period) }]);
    return { application, measured, affected: 1, sample };
  });
  return withWorst(each);
}

const hours = (ms: number): number => Math.round(ms / (MS_PER_HOUR / 10)) / 10;

/** Applications with fewer runs a day vary too much by chance. */
const FEWEST_USUAL_RUNS = 5;

/** How far the number of runs of the last complete day is from the usual one of its weekday, in percent of that. */
export function measureVolume(
  { runs: usual }: Pick<Baseline, 'runs'>,
  { runs }: Pick<DayMeasures, 'runs'>,
): Measurement[] {
  const each = Object.entries(usual)
    .filter(([, expected]) => expected >= FEWEST_USUAL_RUNS)
    .map(([application, expected]): Measurement => {
      const count = runs[application]?.count ?? 0;
      const measured = rounded((100 * Math.abs(count - expected)) / expected);
      const sample = JSON.stringify([{ runs: count, usual_runs: expected }]);
      return { application, measured, affected: Math.abs(count - expected), sample };
    });
  return withWorst(each);
}

/** Shorter runs than this are not worth a look. */
const SHORTEST_DURATION_MS = MS_PER_HOUR / 10;

/** For how long runs have been running, as a multiple of the usual duration of their experiment: the longest of each application. */
export function measureRunning(
  { durations }: Pick<Baseline, 'durations'>,
  running: readonly RunningRun[],
  limit: number,
  at: number,
): Measurement[] {
  const times = new Map<string, { run: RunningRun; times: number }[]>();
  for (const run of running) {
    const usual = durations[run.experiment_id];
    if (usual === undefined) continue;
    const measured = rounded(Math.max(0, at - run.started) / Math.max(usual, SHORTEST_DURATION_MS));
    times.set(run.application, [...(times.get(run.application) ?? []), { run, times: measured }]);
  }
  const each = [...times].map(([application, runs]): Measurement => {
    const longest = runs.sort((a, b) => b.times - a.times || (a.run.run_id < b.run.run_id ? -1 : 1));
    const stuck = longest.filter((one) => one.times > limit);
    const sample = stuck.slice(0, MAX_SAMPLE).map(({ run }) => ({
      run_id: run.run_id,
      experiment_id: run.experiment_id,
      day: dayOf(run.started),
    }));
    return {
      application,
      measured: longest[0]?.times ?? null,
      affected: stuck.length,
      sample: JSON.stringify(sample),
    };
  });
  return withWorst(each);
}

/** Of values that cannot be added, the worst one is that of all. */
function withWorst(each: readonly Measurement[]): Measurement[] {
  const sorted = [...each].sort((a, b) => byName([a.application ?? '', 0], [b.application ?? '', 0]));
  const worst = sorted.reduce<Measurement | undefined>(
    (found, one) => (found && (found.measured ?? 0) >= (one.measured ?? 0) ? found : one),
    undefined,
  );
  const sample =
    worst && worst.sample !== NO_SAMPLE
      ? JSON.stringify([{ application: worst.application }, ...JSON.parse(worst.sample)])
      : NO_SAMPLE;
  const total = {
    application: null,
    measured: worst?.measured ?? null,
    affected: worst?.affected ?? 0,
    sample,
  };
  return [total, ...sorted];
}
