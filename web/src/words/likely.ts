import type { Forecast } from '../../../src/dashboard/contract/forecast.js';
import type { Likely } from '../../../src/dashboard/contract.js';
import { formatPeriod, formatWithUnit } from '../../../src/domain/format.js';

/** When the level of a metric is expected to cross a limit. */
export type Breach = Pick<Likely, 'next' | 'earliest' | 'expected'>;

type Forecasts = Forecast['forecasts'][number];

/**
 * The limit that a metric is expected to cross first; null if there is none, or if it is expected to have crossed it.
 * @param now ms
 */
export function nextBreach(
  forecast: Pick<Forecasts, 'warning' | 'critical'> | undefined,
  now: number,
): Breach | null {
  const breaches = (['warning', 'critical'] as const).flatMap((next): Breach[] => {
    const breach = forecast?.[next];
    return breach && Date.parse(breach.expected) > now ? [{ next, ...breach }] : [];
  });
  return breaches.sort((a, b) => Date.parse(a.expected) - Date.parse(b.expected))[0] ?? null;
}

type Facts = Breach & {
  readonly metric: Pick<
    Likely['metric'],
    'unit' | 'higher_is_better' | 'critical_threshold' | 'warning_threshold'
  >;
};

/**
 * `If it goes on like this, it falls below its critical limit of 0.8 in about 4 d, at the earliest in 2 d.`
 * @param now ms
 */
export function likelyText({ next, earliest, expected, metric }: Facts, now: number): string {
  const limit = metric[`${next}_threshold`];
  const crosses = metric.higher_is_better ? 'falls below' : 'rises above';
  const limitText =
    limit === null ? `its ${next} limit` : `its ${next} limit of ${formatWithUnit(limit, metric.unit)}`;
  return `If it goes on like this, it ${crosses} ${limitText} ${timeText(Date.parse(earliest), Date.parse(expected), now)}.`;
}

function timeText(earliest: number, expected: number, now: number): string {
  if (expected <= now) return 'about now';
  const about = `in about ${formatPeriod(expected - now)}`;
  return earliest <= now
    ? `${about}, possibly sooner`
    : `${about}, at the earliest in ${formatPeriod(earliest - now)}`;
}
