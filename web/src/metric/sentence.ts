import type { MetricNow } from '../../../src/dashboard/contract/metrics.js';
import { formatWithUnit } from '../../../src/domain/format.js';
import { differenceText, valueText } from '../words/quantity.js';
import { keepUnits } from '../words/words.js';

type Facts = Pick<
  MetricNow,
  | 'display_name'
  | 'status'
  | 'value'
  | 'invalid_kind'
  | 'unit'
  | 'limit'
  | 'distance'
  | 'critical_threshold'
  | 'higher_is_better'
>;

/** How a metric is, in one sentence without a full stop: `Recall: 0.781, below its critical limit of 0.84`. */
export function metricSentence(metric: Facts): string {
  const { display_name, status, value, unit, limit } = metric;
  if (value === null) return `${display_name}: not a number`;
  const is = `${display_name}: ${valueText(metric, limit)}`;
  if (status === 'unmonitored' || limit === null) return keepUnits(`${is}, without a threshold`);
  return keepUnits(
    `${is}, ${sideOf(metric)} its ${limitName(metric)} limit of ${formatWithUnit(limit, unit)}`,
  );
}

function sideOf({ distance }: Facts): string {
  if (distance === 0) return 'exactly';
  return (distance ?? 0) < 0 ? 'below' : 'above';
}

/** Which limit `limit` is. */
export const limitName = ({ limit, critical_threshold, status }: Facts): 'critical' | 'warning' =>
  status === 'critical' || (status === 'healthy' && limit === critical_threshold) ? 'critical' : 'warning';

/** `−0.010 a day`; null: unknown */
export const trendText = (trend: number | null, unit: string | null): string =>
  keepUnits(differenceText(trend, unit));
