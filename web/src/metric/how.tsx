import type { MetricNow } from '../../../src/dashboard/contract/metrics.js';
import type { Series } from '../../../src/dashboard/contract/series.js';
import { formatWithUnit } from '../../../src/domain/format.js';
import { OUTLIER_FACTOR, type Outliers } from '../../../src/domain/outliers.js';
import { differenceText, valueText } from '../words/quantity.js';
import { minuteTime } from '../words/time.js';
import { keepUnits, runsText } from '../words/words.js';
import { zone } from '../words/zone.js';
import { averageCount } from './average.js';
import { limitName, trendText } from './sentence.js';

/** The formulas with the numbers of this metric in them. */
export function How({
  metric,
  series,
  outliers,
}: {
  metric: MetricNow;
  series: Series;
  outliers: Outliers | null;
}) {
  const { value, unit, limit, distance, change, status, trend, mean, higher_is_better } = metric;
  const text = (number: number) => keepUnits(formatWithUnit(number, unit));
  const average = series.columns.moving_avg.at(-1) ?? null;
  const averaged = averageCount(series);
  const before = value !== null && change !== null ? value - change : null;
  return (
    <details class="how">
      <summary>How is this computed?</summary>
      <ul>
        <li>
          <b>Status.</b> The newest ended run that logged the metric is{' '}
          <a href={metric.run.url}>{metric.run.run_name}</a>, {minuteTime(metric.run.at, zone.value)}.{' '}
          {statusText(metric)}
          {metric.threshold_updated_at &&
            ` The limits were last changed on ${minuteTime(metric.threshold_updated_at, zone.value)}${metric.threshold_updated_by ? ` by ${metric.threshold_updated_by}` : ''}.`}
        </li>
        {value !== null && limit !== null && status !== 'unmonitored' && (
          <li>
            <b>Distance.</b> {text(value)} − {text(limit)} = {keepUnits(differenceText(distance, unit))} to
            the {limitName(metric)} limit; {higher_is_better ? 'higher' : 'lower'} is better, and a value
            equal to a limit gets the better status.
          </li>
        )}
        {value !== null && before !== null && (
          <li>
            <b>Change.</b> {text(value)} minus the value of the run before,{' '}
            {keepUnits(valueText({ ...metric, value: before }))}, = {keepUnits(differenceText(change, unit))}.
          </li>
        )}
        {average !== null && (
          <li>
            <b>Moving average.</b>{' '}
            {averaged === null
              ? 'The mean of the valid values of the runs before, as docs/data.md defines it'
              : `The mean of the valid values of ${runsText(averaged)} in the 24 h up to the last run of the chart`}
            : {keepUnits(valueText({ ...metric, value: average }))}.
          </li>
        )}
        {trend !== null && mean !== null && (
          <li>
            <b>Trend.</b> The slope of the straight line that fits the values of 7 days best (least squares):{' '}
            {trendText(trend, unit)} a day. Their mean is {keepUnits(valueText({ ...metric, value: mean }))}.
          </li>
        )}
        <li>
          <b>Outliers.</b>{' '}
          {outliers === null
            ? 'None are marked: fewer than ten runs of the chart have a forecast of their value.'
            : keepUnits(outliersText(outliers, series.columns.time.length, unit))}
        </li>
        <li>
          <b>Which runs count.</b> Runs that have ended and are not the child of another run. All values of
          all digits are in the files below.
        </li>
      </ul>
    </details>
  );
}

function outliersText({ usual, limit, indices }: Outliers, count: number, unit: string | null): string {
  if (usual === 0) return 'None: all values are as they were forecast.';
  // A distance has no sign.
  const text = (distance: number) => differenceText(distance, unit).replace('+', '');
  return `A run is ringed if its value is more than ${OUTLIER_FACTOR} × ${text(usual)} = ${text(limit)} away from its forecast, which is made from the runs before it: ${indices.size} of ${runsText(count)}. ${text(usual)} is the usual distance, from the median one of the runs in the chart.`;
}

function statusText({
  value,
  status,
  critical_threshold,
  warning_threshold,
  higher_is_better,
  unit,
}: MetricNow): string {
  if (status === 'unmonitored') return 'It has no threshold, so it is not judged.';
  if (value === null) return 'Its value is not a number, which no limit can judge.';
  const sign = higher_is_better ? ['<', '≥'] : ['>', '≤'];
  const number = (each: number) => formatWithUnit(each, unit);
  if (status === 'critical')
    return `${number(value)} ${sign[0]} ${number(critical_threshold ?? 0)}, so it is critical.`;
  const passed =
    critical_threshold === null
      ? ''
      : `${number(value)} ${sign[1]} ${number(critical_threshold)}, so it is not critical. `;
  if (status === 'warning')
    return `${passed}${number(value)} ${sign[0]} ${number(warning_threshold ?? 0)}, so it is a warning.`;
  return warning_threshold === null
    ? `${passed}There is no warning limit.`
    : `${passed}${number(value)} ${sign[1]} ${number(warning_threshold)}, so it is healthy.`;
}
