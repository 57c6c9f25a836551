import type { PipelineKind, Window } from '../domain/model.js';
import { createFilter } from '../domain/pattern-index.js';
import { finish } from '../domain/steps.js';
import { addDays, dayOf, dayStart, daysOf, MS_PER_DAY, MS_PER_HOUR } from '../domain/time.js';
import type { Plan, Slice } from '../pipeline/stage-contracts.js';
import type { StoredExperiment } from '../state/experiments.js';
import { NEVER_ENDED_PERIOD_MS, type NeverEndedTimes } from '../state/never-ended-runs.js';
import { type OpenMlflowRun } from '../state/open-mlflow-runs.js';
import { type ChangeSpan } from '../state/threshold-changes.js';
import type { Versions } from '../state/versions.js';
import type { Watermarks } from '../state/watermarks.js';

export interface PlanInputs {
  readonly kind: PipelineKind;
  /** Of a backfill or a reevaluation: whole UTC days. */
  readonly window: Window | null;
  /** The earlier of this process's clock and the server's, ms. */
  readonly now: number;
  readonly experiments: Readonly<Record<string, StoredExperiment>>;
  /** Whether slices rely on the list of experiments that the plan stored. */
  readonly listsOnce: boolean;
  readonly watermarks: Watermarks;
  readonly openMlflowRuns: readonly OpenMlflowRun[];
  readonly neverEndedTimes: NeverEndedTimes;
  readonly dirty: Plan['dirty'];
  /** Days with base facts, in any order. */
  readonly storedDays: readonly string[];
  /** Of a reevaluation: the threshold changes that it publishes. */
  readonly changes?: ChangeSpan | undefined;
  /** Of a reevaluation of all days: the versions in force, if not all stored days have them. */
  readonly versions?: Versions | undefined;
  readonly settings: {
    readonly lookbackHoursDelta: number;
    readonly lookbackHoursBackup: number;
    readonly lookbackDaysHistorical: number;
    readonly experimentInclude: readonly string[];
    readonly experimentExclude: readonly string[];
    readonly pageSize: number;
  };
}

/** Experiments in one search: well within the limits of servers that restrict the number of SQL variables. */
const EXPERIMENTS_PER_CHUNK = 50;

interface Group {
  readonly from: number;
  readonly sweep: boolean;
  /** Whether its never-ended runs are fetched as well. */
  readonly neverEnded: boolean;
  readonly ids: readonly string[];
}

/** Plans everything that a pipeline run does, so that its stages do not depend on the clock. */
export function planPipelineRun(inputs: PlanInputs): Plan {
  const { kind, settings, storedDays } = inputs;
  if (kind === 'reevaluation') return planReevaluation(inputs);
  const to = inputs.window ? Math.min(inputs.window.to, inputs.now) : inputs.now;
  const groups =
    kind === 'delta' || kind === 'backup' ? groupByWatermark(inputs, to) : groupWholeDays(inputs, to);
  const chunks = groups.flatMap(({ from, sweep, neverEnded, ids }) => {
    const parts: Plan['chunks'] = [];
    for (let at = 0; at < ids.length; at += EXPERIMENTS_PER_CHUNK) {
      const experiment_ids = ids.slice(at, at + EXPERIMENTS_PER_CHUNK);
      const observed_at = Math.max(...experiment_ids.map((id) => inputs.experiments[id]?.observed_at ?? 0));
      parts.push({ experiment_ids, from, sweep, observed_at, never_ended: neverEnded });
    }
    return parts;
  });
  const openEnd = inputs.window === null || inputs.window.to > inputs.now;
  const slices = chunks.flatMap(({ from, sweep }, chunk) =>
    slicesOf(chunk, { from, to }, openEnd, sweep ? storedDays : []),
  );
  const newestFirst = kind === 'bootstrap';
  slices.sort((a, b) => (newestFirst ? b.from - a.from : a.from - b.from) || a.chunk - b.chunk);
  const inChunks = new Set(chunks.flatMap(({ experiment_ids }) => experiment_ids));
  return {
    from: Math.min(to, ...chunks.map(({ from }) => from)),
    to,
    chunks,
    slices,
    lists_once: inputs.listsOnce,
    open: inputs.openMlflowRuns.filter(({ experiment_id }) => inChunks.has(experiment_id)),
    dirty: inputs.dirty,
    page_size: settings.pageSize,
  };
}

/** The listed experiments in scope, by id. */
function inScope({ experiments, settings }: PlanInputs): string[] {
  const isIncluded = finish(createFilter(settings.experimentInclude, settings.experimentExclude));
  return Object.entries(experiments)
    .filter(([, { listed, name }]) => listed && isIncluded(name))
    .map(([id]) => id)
    .sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
}

const historyStart = (to: number, days: number): number => dayStart(addDays(dayOf(to), -days));

/** Groups experiments that were read up to the same time, so that an experiment that lags does not delay the others. */
function groupByWatermark(inputs: PlanInputs, to: number): Group[] {
  const { kind, watermarks, neverEndedTimes, experiments, settings } = inputs;
  const lookback =
    (kind === 'delta' ? settings.lookbackHoursDelta : settings.lookbackHoursBackup) * MS_PER_HOUR;
  // Filled in place: copying the ids for each experiment takes minutes for 100,000.
  const groups = new Map<string, Group & { ids: string[] }>();
  for (const id of inScope(inputs)) {
    const watermark = watermarks[id];
    const from =
      watermark === undefined
        ? historyStart(to, settings.lookbackDaysHistorical)
        : Math.min(to, watermark) - lookback;
    const sweep = kind === 'delta' && experiments[id]?.swept === false;
    const lastFetch = neverEndedTimes[id];
    const neverEnded =
      kind === 'backup' || lastFetch === undefined || Math.abs(to - lastFetch) >= NEVER_ENDED_PERIOD_MS;
    const key = `${from} ${sweep} ${neverEnded}`;
    const group = groups.get(key);
    if (group) group.ids.push(id);
    else groups.set(key, { from, sweep, neverEnded, ids: [id] });
  }
  return [...groups.values()].sort((a, b) => b.from - a.from);
}

function groupWholeDays(inputs: PlanInputs, to: number): Group[] {
  const from = inputs.window?.from ?? historyStart(to, inputs.settings.lookbackDaysHistorical);
  const ids = inScope(inputs);
  return ids.length === 0 ? [] : [{ from: dayStart(dayOf(from)), sweep: false, neverEnded: true, ids }];
}

/**
 * A slice per day of the window and per other day to sweep. Only days with facts are swept: a single run may be dated 1970.
 * @param swept days to sweep
 */
function slicesOf(chunk: number, window: Window, openEnd: boolean, swept: readonly string[]): Slice[] {
  // An empty window still needs a slice: for runs that start at its end and those that started before it.
  const days = window.from < window.to ? daysOf(window) : [dayOf(window.to)];
  const whole = swept.filter((day) => !days.includes(day));
  return [...days, ...whole].map((day, i) => {
    const last = i === days.length - 1;
    const [from, to] = [dayStart(day), dayStart(day) + MS_PER_DAY];
    return {
      id: `c${chunk}-${day.replaceAll('-', '')}`,
      chunk,
      from: i < days.length ? Math.max(window.from, from) : from,
      to: i < days.length ? Math.min(window.to, to) : to,
      open_end: last && openEnd,
      last,
    };
  });
}

/**
 * Days in one slice of a reevaluation that publishes no threshold changes. Most of them are unchanged, and only their ETags are read,
 * so that the requests of a slice cost more than its days: a year is one slice.
 */
const DAYS_PER_SLICE = 400;

/** Plans to judge stored days again, newest first, without a request to MLflow. */
function planReevaluation({ storedDays, now, window, settings, changes, versions }: PlanInputs): Plan {
  const days = storedDays
    .filter((day) => !window || (dayStart(day) >= window.from && dayStart(day) < window.to))
    .sort()
    .reverse();
  const slices: Slice[] = [];
  for (const { from, to } of spansOfDays(days, changes ? 1 : DAYS_PER_SLICE)) {
    const id = `d-${dayOf(from).replaceAll('-', '')}`;
    slices.push({ id, chunk: 0, from, to, open_end: false, last: false });
  }
  return {
    from: window?.from ?? 0,
    to: now,
    chunks: [],
    slices,
    lists_once: true,
    open: [],
    dirty: { days: [], quarantine_days: [], keys: [] },
    page_size: settings.pageSize,
    ...(changes ? { changes } : {}),
    ...(versions ? { versions: { rules: versions.rules, schema: versions.schema } } : {}),
  };
}

/**
 * Spans of at most `length` days that contain all the given days.
 * @param days newest first
 */
function spansOfDays(days: readonly string[], length: number): Window[] {
  const spans: { from: number; to: number }[] = [];
  for (const from of days.map(dayStart)) {
    const last = spans.at(-1);
    if (last && from >= last.to - length * MS_PER_DAY) last.from = from;
    else spans.push({ from, to: from + MS_PER_DAY });
  }
  return spans;
}
