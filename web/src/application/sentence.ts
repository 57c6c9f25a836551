import type { Application } from '../../../src/dashboard/contract/applications.js';
import { formatDuration, formatWithUnit } from '../../../src/domain/format.js';
import { valueText } from '../words/quantity.js';
import { keepUnits } from '../words/words.js';

type Facts = Pick<Application, 'application' | 'light' | 'reason' | 'attention' | 'last_run'>;

/** What is the matter with an application, in one sentence without a full stop. @param now ms */
export function sentence(facts: Facts, now: number): string {
  const { application, light, attention } = facts;
  if (attention?.metric) return `${application}: ${metricSentence(attention.metric)}`;
  if (light === 'no_data') return `${application} has ${silence(facts, now)}`;
  if (attention) return `${application}: ${keepUnits(facts.reason.replace(/\.$/, ''))}`;
  if (light === 'unmonitored') return `${application} has no thresholds`;
  return `${application} is healthy`;
}

function silence({ last_run }: Facts, now: number): string {
  if (last_run === null) return 'not run recently';
  const age = formatDuration(Math.max(0, now - Date.parse(last_run.at))).replaceAll(' ', '\u00a0');
  return `not run for ${age}`;
}

type Metric = NonNullable<NonNullable<Application['attention']>['metric']>;

/** The value is that of the last run that was not healthy; newer ones may be, so it is not said to be the value now. */
function metricSentence(metric: Metric): string {
  const { display_name, status, unit, higher_is_better } = metric;
  if (metric.value === null) return `${display_name} is not a number`;
  const limit = status === 'critical' ? metric.critical_threshold : metric.warning_threshold;
  const value = `${display_name} at ${keepUnits(valueText(metric, limit))}`;
  if (limit === null) return value;
  const side = higher_is_better ? 'below' : 'above';
  const name = status === 'critical' ? 'critical' : 'warning';
  return `${value}, ${side} its ${name} limit of ${keepUnits(formatWithUnit(limit, unit))}`;
}
