import { inSlices } from '../config/event-loop.js';
import type { Points } from '../domain/forecast/points.js';
import {
  continueTail,
  type DayOfSeries,
  dayOfSeries,
  type ForecastAfter,
  forecastAfter,
  forgottenUntil,
} from '../domain/forecast/tail.js';
import type { DayPoints } from '../domain/hourly-sums.js';
import type { Rule } from '../domain/model.js';
import type { Steps } from '../domain/steps.js';
import { compareText } from '../domain/text.js';
import { type FitAll, type KnownFits, parametersOf } from './known-fits.js';
import { type TailRow, withoutRows } from './tail-rows.js';

/** Series whose fits are computed together: enough for several threads, few enough for the memory. */
const BATCH = 512;

type Limits = Pick<Rule, 'higher_is_better' | 'warning_threshold' | 'critical_threshold'> & {
  readonly min: number | undefined;
  readonly max: number | undefined;
};

/** A series with eligible rows on the day. */
export interface DaySeries {
  readonly application: string;
  readonly metric_name: string;
  readonly limits: Limits;
}

/** The forecast after the last point of a series. */
export interface SeriesForecast extends DaySeries, ForecastAfter {
  /** Its parameters as JSON. */
  readonly model: string | null;
}

export interface ContinueInputs {
  /** The start of the day, ms. */
  readonly from: number;
  /** Sorted by name. */
  readonly series: readonly DaySeries[];
  readonly points: DayPoints;
  /** Of the day before, sorted by name. */
  readonly tails: readonly TailRow[];
  /** Is extended. */
  readonly known: KnownFits;
  readonly lookbackMs: number;
}

interface Continued {
  readonly rows: TailRow[];
  readonly forecasts: SeriesForecast[];
}

/** Continues each series that has rows on the day, and keeps the others. */
export async function continueSeries(inputs: ContinueInputs, fitAll: FitAll): Promise<Continued> {
  const all: Continued = { rows: [], forecasts: [] };
  const matched = matchSeries(inputs);
  for (;;) {
    const batch = await inSlices(take(matched, BATCH));
    if (batch.length === 0) return all;
    await inputs.known.learn(batch.flatMap(pointsToFit), fitAll);
    await inSlices(continueBatch(batch, inputs, all));
  }
}

/** A series with rows on the day, or the row of one without. */
type Matched = { readonly own: DaySeries; readonly day: DayOfSeries } | { readonly other: TailRow };

const pointsToFit = (each: Matched): Points[] =>
  'other' in each ? [] : [each.day.before, ...(each.day.until ? [each.day.until] : [])];

/** The series of the day and of the tails, by name. */
function* matchSeries({ from, series, points, tails, lookbackMs }: ContinueInputs): Generator<Matched, void> {
  const forgotten = forgottenUntil(from, lookbackMs);
  const isKept = ({ tail: { times } }: TailRow) => (times.at(-1) ?? Number.NEGATIVE_INFINITY) > forgotten;
  let next = 0;
  let begin = 0;
  for (const [number, own] of series.entries()) {
    while (next < tails.length && compareNames(tails[next] as TailRow, own) < 0) {
      const other = tails[next++] as TailRow;
      if (isKept(other)) yield { other: withoutRows(other) };
    }
    const found = tails[next];
    const before = found && compareNames(found, own) === 0 ? tails[next++] : undefined;
    const first = begin;
    while (begin < points.series.length && points.series[begin] === number) begin++;
    const rows = {
      day: from,
      times: points.time.subarray(first, begin).map((time) => from + time),
      values: points.value.subarray(first, begin),
    };
    yield { own, day: dayOfSeries(before && isKept(before) ? before.tail : undefined, rows, lookbackMs) };
  }
  for (const other of tails.slice(next)) if (isKept(other)) yield { other: withoutRows(other) };
}

function* take<T>(all: Generator<T, void>, count: number): Steps<T[]> {
  const taken: T[] = [];
  while (taken.length < count) {
    const next = all.next();
    if (next.done) break;
    taken.push(next.value);
    yield;
  }
  return taken;
}

/** @param known has the fits of the batch */
function* continueBatch(
  batch: readonly Matched[],
  { from, known, lookbackMs }: ContinueInputs,
  { rows, forecasts }: Continued,
): Steps<void> {
  for (const each of batch) {
    yield;
    if ('other' in each) {
      rows.push(each.other);
      continue;
    }
    const { own, day } = each;
    const continued = continueTail(day, (points) => parametersOf(known.storedOf(points)));
    const { tail, predictions } = continued;
    const stored = known.storedOf(day.until ?? day.before);
    rows.push({ application: own.application, metric_name: own.metric_name, tail, ...stored, predictions });
    const isNew = (tail.times.at(-1) ?? Number.NEGATIVE_INFINITY) >= from;
    const forecast = isNew ? forecastAfter(continued, from, lookbackMs, own.limits) : undefined;
    if (forecast) forecasts.push({ ...own, ...forecast, model: stored.parameters });
  }
}

type Named = Pick<TailRow, 'application' | 'metric_name'>;

const compareNames = (a: Named, b: Named): number =>
  compareText(a.application, b.application) || compareText(a.metric_name, b.metric_name);
