import { MS_PER_DAY } from '../time.js';
import { nthSmallest } from './selection.js';

/** A pattern that repeats: what it adds to the level at evenly spaced times of a period. */
export interface Season {
  /** ms. */
  readonly period: number;
  /** A time at which the first effect applies, ms. */
  readonly start: number;
  /** In units of the values, evenly spaced over the period; they add up to about 0. */
  readonly effects: readonly number[];
}

const PERIODS = [MS_PER_DAY, 7 * MS_PER_DAY];
/** A pattern counts only if it was seen over this many periods, besides half a period at each end that gives the level. */
const MIN_CYCLES = 3;
const MAX_EFFECTS = 28;
/** A sum of deviations below this is a rounding error of values up to about 1. */
const ROUNDING = 1e-9;
/** Points are regular if this share of the gaps is a multiple of the usual gap, give or take a fifth of it. */
const REGULAR_SHARE = 0.9;
const GAP_TOLERANCE = 0.2;
/** Of the effects at least this share of the points is there. */
const MIN_FILLED = 0.75;
/** The pattern of the even cycles must reduce the absolute deviations in the odd ones by this share, and vice versa. */
const MIN_GAIN = 0.15;
/** … and by this share more, divided by the root of the number of points: a few points agree by chance. */
const MIN_GAIN_OF_FEW = 1.5;

/**
 * The daily or weekly pattern of regular points, undefined if there is none. A pattern must predict: the effects of every
 * other cycle are tested on the cycles between. Random walks and trends pass this test rarely, because their cycles differ.
 * @param times ms, ascending
 * @param values as many, up to about 1
 */
export function findSeason(times: Float64Array, values: Float64Array): Season | undefined {
  const usual = medianGap(times);
  let best: { season: Season; gain: number } | undefined;
  for (const period of PERIODS) {
    const found = tryPeriod(times, values, period, usual);
    if (found && found.gain > (best?.gain ?? 0)) best = found;
  }
  return best?.season;
}

/** What the pattern adds at a time; between two effects, in proportion to the distance from both. */
export function seasonAt(season: Season | undefined, time: number): number {
  if (!season) return 0;
  const { period, start, effects } = season;
  const cycles = (time - start) / period;
  const position = (cycles - Math.floor(cycles)) * effects.length;
  const index = Math.floor(position) % effects.length;
  const share = position - Math.floor(position);
  return (1 - share) * (effects[index] as number) + share * (effects[(index + 1) % effects.length] as number);
}

function tryPeriod(times: Float64Array, values: Float64Array, period: number, usual: number) {
  const n = times.length;
  const start = times[0] as number;
  const span = (times[n - 1] as number) - start;
  const bins = Math.round(period / usual);
  if (!(span >= (MIN_CYCLES + 1) * period - usual / 2) || !(bins >= 2 && bins <= MAX_EFFECTS))
    return undefined;
  const width = period / bins;
  if (n < MIN_FILLED * (span / width) || !isRegular(times, width)) return undefined;
  const deviations = deviationsFromLevel(times, values, period, width);
  const even = new Groups(bins);
  const odd = new Groups(bins);
  const all = new Groups(bins);
  for (let i = 0; i < n; i++) {
    const deviation = deviations[i] as number;
    if (Number.isNaN(deviation)) continue;
    const place = Math.round(((times[i] as number) - start) / width);
    (Math.floor(place / bins) % 2 === 0 ? even : odd).add(place % bins, deviation);
    all.add(place % bins, deviation);
  }
  const gain = Math.min(odd.reductionBy(even.medians()), even.reductionBy(odd.medians()));
  if (!(gain >= MIN_GAIN + MIN_GAIN_OF_FEW / Math.sqrt(n))) return undefined;
  const effects = all.medians();
  const mean = effects.reduce((sum, effect) => sum + effect, 0) / bins;
  return { season: { period, start, effects: effects.map((effect) => effect - mean) }, gain };
}

/**
 * Each value minus the mean over one period around its time; NaN within half a period of the ends. Points at the borders of the
 * period count half: a trend would otherwise look like a pattern.
 */
function deviationsFromLevel(times: Float64Array, values: Float64Array, period: number, width: number) {
  const first = (times[0] as number) + (period - width) / 2;
  const last = (times[times.length - 1] as number) - (period - width) / 2;
  const wide = windowSums(times, values, period / 2 + width / 4);
  const narrow = windowSums(times, values, period / 2 - width / 4);
  return values.map((value, i) => {
    const time = times[i] as number;
    if (time < first || time > last) return Number.NaN;
    const count = (wide.counts[i] as number) + (narrow.counts[i] as number);
    return value - ((wide.sums[i] as number) + (narrow.sums[i] as number)) / count;
  });
}

/** The sum and number of the values within less than `distance` of each time. */
function windowSums(times: Float64Array, values: Float64Array, distance: number) {
  const sums = new Float64Array(times.length);
  const counts = new Float64Array(times.length);
  let sum = 0;
  let begin = 0;
  let end = 0;
  for (let i = 0; i < times.length; i++) {
    const time = times[i] as number;
    for (; end < times.length && (times[end] as number) < time + distance; end++)
      sum += values[end] as number;
    for (; (times[begin] as number) <= time - distance; begin++) sum -= values[begin] as number;
    sums[i] = sum;
    counts[i] = end - begin;
  }
  return { sums, counts };
}

function isRegular(times: Float64Array, width: number): boolean {
  let regular = 0;
  for (let i = 1; i < times.length; i++) {
    const gaps = ((times[i] as number) - (times[i - 1] as number)) / width;
    const whole = Math.round(gaps);
    if (whole >= 1 && Math.abs(gaps - whole) <= GAP_TOLERANCE) regular++;
  }
  return regular >= REGULAR_SHARE * (times.length - 1);
}

function medianGap(times: Float64Array): number {
  const gaps = new Float64Array(Math.max(0, times.length - 1));
  for (let i = 0; i < gaps.length; i++) gaps[i] = (times[i + 1] as number) - (times[i] as number);
  return gaps.length === 0 ? 0 : nthSmallest(gaps, gaps.length >> 1);
}

/** Deviations by their place in the period. */
class Groups {
  private readonly groups: number[][];

  constructor(bins: number) {
    this.groups = Array.from({ length: bins }, () => []);
  }

  add(bin: number, deviation: number): void {
    this.groups[bin]?.push(deviation);
  }

  /** The median of each group, NaN if it is empty. */
  medians(): number[] {
    return this.groups.map((group) => {
      const sorted = Float64Array.from(group).sort();
      const half = sorted.length >> 1;
      const upper = sorted[half] ?? Number.NaN;
      return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? Number.NaN) + upper) / 2;
    });
  }

  /** By what share the sum of absolute deviations shrinks if effects are subtracted; NaN if an effect or all deviations are missing. */
  reductionBy(effects: readonly number[]): number {
    let before = 0;
    let after = 0;
    this.groups.forEach((group, bin) => {
      for (const deviation of group) {
        before += Math.abs(deviation);
        after += Math.abs(deviation - (effects[bin] as number));
      }
    });
    return before > ROUNDING ? 1 - after / before : Number.NaN;
  }
}
