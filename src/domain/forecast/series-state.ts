import { exp, log } from './elementary.js';
import type { ForecastParameters, TrendParameters } from './parameters.js';
import { fromUnits, type Points, sizeToUnits, toUnits, type Units } from './points.js';
import { seasonAt } from './season.js';
import { TrendFilter, type TrendModel } from './trend-filter.js';

/** What is known about a series after its last point: the level without the season, and with `trend` its slope. */
export class SeriesState {
  private readonly filter: TrendFilter | undefined;
  private level = Number.NaN;

  /** @param time that of the last point, ms */
  private constructor(
    private readonly units: Units,
    private readonly parameters: ForecastParameters,
    public time: number,
  ) {
    if (parameters.method === 'trend') this.filter = new TrendFilter();
  }

  /** The state after the last of these points. @param points at least one */
  static after(points: Points, parameters: ForecastParameters): SeriesState {
    const { times, values } = points;
    const state = new SeriesState(points, parameters, times[0] as number);
    state.level = state.withoutSeason(values[0] as number);
    if (parameters.method === 'trend') state.filter?.start(trendModel(parameters, points), state.level);
    for (let i = 1; i < times.length; i++) state.observe(times[i] as number, values[i] as number);
    return state;
  }

  /** Adds a point. It is ignored if its time or value is not finite or its time is before that of the last one. */
  observe(time: number, value: number): void {
    if (!(time >= this.time && time < Number.POSITIVE_INFINITY) || !Number.isFinite(value)) return;
    const gap = (time - this.time) / this.parameters.meanGap;
    this.time = time;
    this.level = this.withoutSeason(value);
    if (!this.filter) return;
    this.filter.advance(gap);
    this.filter.update(this.level);
  }

  /** The value to expect at a time not before the last point's; finite. */
  predict(time: number): number {
    const gap = Math.max(0, (time - this.time) / this.parameters.meanGap);
    const level = this.filter ? this.filter.levelAfter(gap) : this.level;
    return fromUnits(this.units, level + this.seasonInUnits(time));
  }

  /**
   * The distribution of the level at later times, without the season and without noise around it. With `naive`, the variance
   * is that beyond the variance of the difference of two values a mean gap apart.
   * @param times ms, ascending, after the last point; the state moves to the last of them
   * @returns as many levels and their variances, in the units of the points and of the square of the parameter `deviation`
   */
  moveThrough(times: Float64Array): { levels: Float64Array; variances: Float64Array } {
    const levels = new Float64Array(times.length).fill(this.level);
    const variances = new Float64Array(times.length);
    const last = this.time;
    for (let k = 0; k < times.length; k++) {
      const time = times[k] as number;
      if (this.filter) {
        this.filter.advance((time - this.time) / this.parameters.meanGap);
        levels[k] = this.filter.level;
        variances[k] = this.filter.levelVariance;
        this.time = time;
      } else variances[k] = Math.max(0, (time - last) / this.parameters.meanGap - 1);
    }
    return { levels, variances };
  }

  private withoutSeason(value: number): number {
    return toUnits(this.units, value) - this.seasonInUnits(this.time);
  }

  private seasonInUnits(time: number): number {
    const { season } = this.parameters;
    return season ? sizeToUnits(this.units, seasonAt(season, time)) : 0;
  }
}

function trendModel(parameters: TrendParameters, units: Units): TrendModel {
  return {
    levelNoise: exp(parameters.logLevelNoise),
    slopeNoise: exp(parameters.logSlopeNoise),
    logDamping: log(1 - exp(parameters.logSlopeLoss)),
    initialSlopeVariance: parameters.initialSlopeVariance,
    clipDeviation: sizeToUnits(units, parameters.clipDeviation),
  };
}
