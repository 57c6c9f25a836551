import type { ApplicationNow, Attention } from '../../../src/dashboard/contract.js';
import { formatQuantity } from '../../../src/domain/format.js';
import { dayText } from '../words/time.js';
import { runsText } from '../words/words.js';
import { fraction } from './scale.js';

const [WIDTH, HEIGHT, MARGIN] = [216, 52, 5];
const SPAN_MS = 7 * 86_400_000;

type Metric = Pick<
  NonNullable<Attention['metric']>,
  'points' | 'critical_threshold' | 'warning_threshold' | 'higher_is_better' | 'unit' | 'display_name'
>;

/** Seven days of a metric, with the zones beyond its limits. The dot marks the run shown in the row. */
export function Sparkline({ metric, shown, to }: { metric: Metric; shown: string | undefined; to: string }) {
  const { points, critical_threshold, warning_threshold, higher_is_better, unit } = metric;
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last) return <span class="no-values">no values</span>;
  const limits = [critical_threshold, warning_threshold].filter((limit) => limit !== null);
  const values = [...points.map(({ value }) => value), ...limits];
  const span = { low: Math.min(...values), high: Math.max(...values) };
  const end = Date.parse(to);
  const x = (at: string) => MARGIN + (1 - (end - Date.parse(at)) / SPAN_MS) * (WIDTH - 2 * MARGIN);
  const y = (value: number) => HEIGHT - MARGIN - fraction(value, span) * (HEIGHT - 2 * MARGIN);
  const line = points.map(({ at, value }) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`).join(' ');
  const dot = points.find(({ at }) => at === shown) ?? last;
  const zone = (limit: number | null, name: 'critical' | 'warning') => {
    if (limit === null || higher_is_better === null) return null;
    const edge = y(limit);
    return (
      <>
        <rect
          class={`zone ${name}`}
          x="0"
          width={WIDTH}
          y={higher_is_better ? edge : 0}
          height={higher_is_better ? HEIGHT - edge : edge}
        />
        <line class={`limit ${name}`} x1="0" x2={WIDTH} y1={edge} y2={edge} />
      </>
    );
  };
  const label = `${metric.display_name} over 7 days, from ${formatQuantity(first.value, unit)} to ${formatQuantity(last.value, unit)}`;
  return (
    <svg
      class="sparkline"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      width={WIDTH}
      height={HEIGHT}
      role="img"
      aria-label={label}
    >
      {zone(warning_threshold, 'warning')}
      {zone(critical_threshold, 'critical')}
      <polyline points={line} />
      <circle cx={x(dot.at)} cy={y(dot.value)} r="2.9" />
    </svg>
  );
}

/** Runs per day: the bars end where a job stopped. */
export function RunsPerDay({ days, dates }: { days: ApplicationNow['days']; dates: readonly string[] }) {
  const max = Math.max(1, ...days.map(({ total }) => total));
  const step = WIDTH / days.length;
  const lastDay = days.findLastIndex(({ total }) => total > 0);
  const label =
    lastDay < 0
      ? 'no runs'
      : `Runs per day over ${days.length} days; the last ones on ${dayText(dates[lastDay] ?? '', 'UTC')}`;
  return (
    <svg
      class="sparkline"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      width={WIDTH}
      height={HEIGHT}
      role="img"
      aria-label={label}
    >
      <line class="ground" x1="0" x2={WIDTH} y1={HEIGHT - 4.5} y2={HEIGHT - 4.5} />
      {days.map(({ total }, i) => {
        const height = total === 0 ? 0 : Math.max(2, (total / max) * (HEIGHT - 14));
        return (
          <rect
            key={dates[i]}
            class={total === 0 ? 'bar none' : 'bar'}
            x={i * step + 1}
            width={step - 2}
            y={HEIGHT - 5 - (total === 0 ? 2 : height)}
            height={total === 0 ? 2 : height}
          >
            <title>{`${dayText(dates[i] ?? '', 'UTC')}: ${runsText(total)}`}</title>
          </rect>
        );
      })}
    </svg>
  );
}
