import type { Signal } from '@preact/signals';
import type { Forecast } from '../../../src/dashboard/contract/forecast.js';
import type { MetricNow } from '../../../src/dashboard/contract/metrics.js';
import { lineParts, stretches } from '../marks/cells.js';
import { limitSegments, zonesOf } from '../marks/limits.js';
import { fraction, type Span, valueSpan } from '../marks/scale.js';
import { Shape } from '../marks/status.jsx';
import { valueText } from '../words/quantity.js';
import { plural, STATUS_LABELS } from '../words/words.js';
import { LikelyStretches, MiniForecast, percent } from './mini-forecast.jsx';
import { type RowAxis, stepsOn } from './row-axis.js';

/** The picture is stretched to the width of its column: texts and marks are placed above it. */
const [WIDTH, HEIGHT] = [1000, 52];

interface Chart {
  readonly metric: MetricNow;
  readonly axis: RowAxis;
  readonly forecast: Forecast['forecasts'][number] | undefined;
  readonly marks: readonly { readonly at: number; readonly letter: string }[];
}

/** The course of a metric with its limits, and its status below. */
export function MiniChart({ pointed, ...chart }: Chart & { pointed: Signal<number | null> }) {
  return (
    <div class="mini">
      <Picture {...chart} />
      <Pointed metric={chart.metric} share={chart.axis.share} pointed={pointed} />
    </div>
  );
}

/** Reads neither the clock nor the pointer: it is drawn once per response. */
function Picture({ metric, axis, forecast, marks }: Chart) {
  const { cells } = metric;
  const segments = limitSegments(metric.limits, axis.low, axis.high);
  const limits = segments
    .flatMap(({ critical, warning }) => [critical, warning])
    .filter((limit) => limit !== null);
  // The wider band is cut off at the edge rather than making everything else flat.
  const expected = forecast
    ? stepsOn(forecast, axis).flatMap((i) => [
        forecast.columns.lower_80[i] ?? 0,
        forecast.columns.upper_80[i] ?? 0,
      ])
    : [];
  const values = [...cells.min, ...cells.max, ...expected].filter((value) => value !== null);
  const span = valueSpan(values, limits);
  const statuses = stretches(cells.status);
  return (
    <>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={spoken(metric)}
      >
        {span && metric.higher_is_better !== null && (
          <Limits segments={segments} higherIsBetter={metric.higher_is_better} time={axis} span={span} />
        )}
        {span && <Course metric={metric} span={span} share={axis.share} />}
        {span && forecast && (
          <MiniForecast
            forecast={forecast}
            axis={axis}
            place={(at, value) => `${(WIDTH * fraction(at, axis)).toFixed(1)} ${yOf(value, span).toFixed(1)}`}
          />
        )}
      </svg>
      <div class="status-line" aria-hidden="true">
        <i class="cells" style={{ width: `${100 * axis.share}%` }} />
        {statuses.map(({ value, from, to }) => (
          <i
            key={from}
            class={`stretch ${value}`}
            style={{
              left: `${(100 * axis.share * from) / cells.status.length}%`,
              width: `${(100 * axis.share * (to - from)) / cells.status.length}%`,
            }}
          />
        ))}
        {forecast && <LikelyStretches forecast={forecast} axis={axis} />}
      </div>
      {axis.share < 1 && (
        <span class="now-line" style={{ left: percent(axis.now, axis) }} aria-hidden="true" />
      )}
      {marks.map(({ at, letter }) => (
        <span key={letter} class="mark" style={{ left: percent(at, axis) }} aria-hidden="true">
          {letter}
        </span>
      ))}
    </>
  );
}

interface Drawn {
  readonly segments: ReturnType<typeof limitSegments>;
  readonly higherIsBetter: boolean;
  readonly time: Span;
  readonly span: Span;
}

const yOf = (value: number, span: Span): number =>
  HEIGHT * (1 - Math.max(0, Math.min(1, fraction(value, span))));

function Limits({ segments, higherIsBetter, time, span }: Drawn) {
  return segments.flatMap((segment) => {
    const [left, right] = [segment.from, segment.to].map((at) => WIDTH * fraction(at, time)) as [
      number,
      number,
    ];
    return zonesOf(segment, higherIsBetter).map(({ status, low, high }) => {
      const [top, bottom] = [yOf(high, span), yOf(low, span)];
      const limit = higherIsBetter ? top : bottom;
      const isInside = limit > 0 && limit < HEIGHT;
      return (
        <g key={`${segment.from} ${status}`}>
          <rect class={`zone ${status}`} x={left} width={right - left} y={top} height={bottom - top} />
          {isInside && <path class={`limit ${status}`} d={`M${left} ${limit}H${right}`} />}
        </g>
      );
    });
  });
}

/** The medians as a line and the range of the values around it. */
function Course({ metric: { cells }, span, share }: { metric: MetricNow; span: Span; share: number }) {
  const count = cells.median.length;
  const x = (cell: number) => (WIDTH * share * (cell + 0.5)) / count;
  const place = (values: readonly (number | null)[]) => (cell: number) =>
    `${x(cell).toFixed(1)} ${yOf(values[cell] ?? 0, span).toFixed(1)}`;
  const parts = lineParts(cells.median);
  const line = parts.map((part) => `M${part.map(place(cells.median)).join('L')}h0`).join('');
  const range = parts
    .map(
      (part) =>
        `M${part.map(place(cells.max)).join('L')}L${part.toReversed().map(place(cells.min)).join('L')}Z`,
    )
    .join('');
  return (
    <>
      <path class="range" d={range} />
      <path class="course" d={line} />
    </>
  );
}

/** The line through all rows, and the value of this one. */
function Pointed({
  metric,
  share,
  pointed,
}: {
  metric: MetricNow;
  share: number;
  pointed: Signal<number | null>;
}) {
  const cell = pointed.value;
  const { cells } = metric;
  if (cell === null) return null;
  const status = cells.status[cell] ?? null;
  const value = cells.median[cell] ?? null;
  const left = (100 * share * (cell + 0.5)) / cells.status.length;
  return (
    <span class={left > 70 ? 'crosshair left' : 'crosshair'} style={{ left: `${left}%` }}>
      <span class={status ?? 'no_data'}>
        {status && <Shape of={status} />}
        {status === null
          ? 'not logged'
          : valueText({ value, invalid_kind: 'nan', unit: metric.unit }, metric.limit)}
      </span>
    </span>
  );
}

/** The picture in words. */
function spoken({ display_name, cells, unit }: MetricNow): string {
  const values = cells.median.filter((value) => value !== null);
  const [first, last] = [values[0], values.at(-1)];
  if (first === undefined || last === undefined) return `${display_name}: no values`;
  const text = (value: number) => valueText({ value, invalid_kind: null, unit });
  const counts = (['critical', 'invalid', 'warning'] as const)
    .map((status) => [cells.status.filter((each) => each === status).length, status] as const)
    .filter(([count]) => count > 0)
    .map(([count, status]) => `${plural(count, 'time span')} ${STATUS_LABELS[status].toLowerCase()}`);
  return [`${display_name} from ${text(first)} to ${text(last)}`, ...counts].join('; ');
}
