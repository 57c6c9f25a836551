import type { Forecast } from '../../../src/dashboard/contract/forecast.js';
import type { Metrics } from '../../../src/dashboard/contract/metrics.js';
import type { Span } from '../marks/scale.js';

/** The time axis of all rows, ms: the cells, and after them what is forecast. */
export interface RowAxis extends Span {
  /** The end of the cells, that of the current hour. */
  readonly now: number;
  /** Which part of the axis the cells are. */
  readonly share: number;
}

/** A quarter of the cells' time at most, so that the past stays legible. */
const MOST = 0.25;

/** @param forecasts those that are drawn */
export function rowAxis(
  { from, to }: Pick<Metrics, 'from' | 'to'>,
  forecasts: readonly Pick<Forecast['forecasts'][number], 'columns'>[],
): RowAxis {
  const [low, now] = [Date.parse(from), Date.parse(to)];
  const last = Math.max(now, ...forecasts.flatMap(({ columns }) => columns.time.at(-1) ?? []));
  const high = Math.min(last, now + (now - low) * MOST);
  return { low, high, now, share: (now - low) / (high - low) };
}

/** The steps of a forecast that are on the axis, as indices. */
export const stepsOn = (
  { columns }: Pick<Forecast['forecasts'][number], 'columns'>,
  axis: RowAxis,
): number[] => columns.time.flatMap((time, i) => (time <= axis.high ? [i] : []));
