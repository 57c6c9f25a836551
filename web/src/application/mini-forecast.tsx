import type { Forecast } from '../../../src/dashboard/contract/forecast.js';
import { fraction, type Span } from '../marks/scale.js';
import { type RowAxis, stepsOn } from './row-axis.js';

type Forecasted = Forecast['forecasts'][number];

/** The expected course with its 80 and 95 % bands. @param place x and y of a time and a value */
export function MiniForecast({
  forecast,
  axis,
  place,
}: {
  forecast: Forecasted;
  axis: RowAxis;
  place: (time: number, value: number) => string;
}) {
  const { columns } = forecast;
  const steps = stepsOn(forecast, axis);
  if (steps.length < 2) return null;
  const points = (values: readonly number[]) => steps.map((i) => place(columns.time[i] ?? 0, values[i] ?? 0));
  const band = (lower: readonly number[], upper: readonly number[]) =>
    `M${points(upper).join('L')}L${points(lower).reverse().join('L')}Z`;
  return (
    <>
      <path class="band" d={band(columns.lower_95, columns.upper_95)} />
      <path class="band" d={band(columns.lower_80, columns.upper_80)} />
      <path class="expected" d={`M${points(columns.forecast).join('L')}`} />
    </>
  );
}

/** From when on the metric is likely to be beyond a limit: outlines in the line of its status. */
export function LikelyStretches({ forecast, axis }: { forecast: Forecasted; axis: RowAxis }) {
  return (['warning', 'critical'] as const).map((status) => {
    const breach = forecast[status];
    const at = breach === null ? Number.POSITIVE_INFINITY : Date.parse(breach.expected);
    if (at <= axis.now || at >= axis.high) return null;
    return (
      <i key={status} class={`stretch likely ${status}`} style={{ left: percent(at, axis), right: '0' }} />
    );
  });
}

export const percent = (at: number, axis: Span): string => `${100 * fraction(at, axis)}%`;
