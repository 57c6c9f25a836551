import type { Forecast } from '../../../src/dashboard/contract/forecast.js';
import type { Series } from '../../../src/dashboard/contract/series.js';
import { formatWithUnit } from '../../../src/domain/format.js';
import { type LimitSegment, limitSegments } from '../marks/limits.js';
import { type Span, valueSpan } from '../marks/scale.js';
import { divisorOf, longestBridge } from './points.js';

/** The level of a model version, for comparison: the median of its values, and the middle 80 % of them. */
export interface Level {
  readonly name: string;
  readonly lower: number;
  readonly median: number;
  readonly upper: number;
}

/** A line of another application, for comparison. */
export interface Compared {
  readonly name: string;
  readonly times: readonly number[];
  readonly values: readonly (number | null)[];
}

/** Everything that the chart draws. Values are divided by `divisor`; times are ms. */
export interface ChartModel {
  readonly time: Span;
  readonly value: Span;
  readonly divisor: number;
  readonly unit: string | null;
  readonly times: readonly number[];
  readonly values: readonly (number | null)[];
  readonly average: readonly (number | null)[];
  readonly statuses: Series['columns']['status'];
  readonly bridge: number;
  readonly segments: readonly LimitSegment[];
  readonly higherIsBetter: boolean | null;
  /** Times at which limits changed. */
  readonly changes: readonly { readonly at: number; readonly letter: string }[];
  readonly compared: Compared | null;
  readonly level: Level | null;
  readonly forecast: ForecastLines | null;
  /** The indices of points that are marked as outliers. */
  readonly outliers: ReadonlySet<number>;
}

/** What a chart shows besides the runs. */
export interface Beside {
  readonly changes: ChartModel['changes'];
  /** The same metric of another application. */
  readonly other: Series | undefined;
  readonly level: Level | null;
  readonly forecast: ForecastLines | null;
  readonly outliers: ReadonlySet<number>;
}

/** The expected values after the last run, with their bands. */
export type ForecastLines = Forecast['forecasts'][number]['columns'];

export function chartModel(
  series: Series,
  time: Span,
  { changes, other, level, forecast, outliers }: Beside,
): ChartModel {
  const { columns, unit, higher_is_better } = series;
  const segments = limitSegments(series.limits, time.low, time.high);
  const limits = segments
    .flatMap(({ critical, warning }) => [critical, warning])
    .filter((limit) => limit !== null);
  // The wider band is cut off at the edge rather than making everything else flat.
  const expected = forecast ? [...forecast.lower_80, ...forecast.upper_80] : [];
  const compared = [...(other?.columns.value ?? []), ...(level ? [level.lower, level.upper] : [])];
  const valid = [...columns.value, ...columns.moving_avg, ...compared, ...expected];
  const value = valueSpan(
    valid.filter((each) => each !== null),
    limits,
  ) ?? { low: 0, high: 1 };
  const divisor = divisorOf(value);
  const divided = (all: readonly (number | null)[]) =>
    divisor === 1 ? all : all.map((each) => (each === null ? null : each / divisor));
  const dividedLimit = (limit: number | null) => (limit === null ? null : limit / divisor);
  return {
    time,
    value: { low: value.low / divisor, high: value.high / divisor },
    divisor,
    unit,
    times: columns.time,
    values: divided(columns.value),
    average: divided(columns.moving_avg),
    statuses: columns.status,
    bridge: longestBridge(columns.time),
    segments: segments.map((segment) => ({
      ...segment,
      critical: dividedLimit(segment.critical),
      warning: dividedLimit(segment.warning),
    })),
    higherIsBetter: higher_is_better,
    changes,
    compared: other
      ? { name: other.application, times: other.columns.time, values: divided(other.columns.moving_avg) }
      : null,
    level: level && {
      name: level.name,
      lower: level.lower / divisor,
      median: level.median / divisor,
      upper: level.upper / divisor,
    },
    forecast: forecast && mapLines(forecast, (each) => each / divisor),
    outliers,
  };
}

const mapLines = ({ time, ...lines }: ForecastLines, change: (value: number) => number): ForecastLines => ({
  time,
  forecast: lines.forecast.map(change),
  lower_80: lines.lower_80.map(change),
  upper_80: lines.upper_80.map(change),
  lower_95: lines.lower_95.map(change),
  upper_95: lines.upper_95.map(change),
});

/** `0.84`: a label of the value axis, with as many decimals as the step between two labels needs. */
export function axisLabel(
  value: number,
  step: number,
  { divisor, unit }: Pick<ChartModel, 'divisor' | 'unit'>,
): string {
  if (divisor !== 1) return (value * divisor).toExponential(1);
  const size = Math.max(Math.abs(value), step);
  if (size >= 1e7 || step < 1e-6) return Number(value.toPrecision(6)).toString();
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return formatWithUnit(Number(value.toFixed(decimals)), unit === '%' ? unit : null).replace(/^-/, '−');
}
