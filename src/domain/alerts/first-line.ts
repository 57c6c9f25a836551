import { formatDuration, formatPeriod, formatQuantity, formatWithUnit } from '../format.js';
import type { AlertEvidence, AlertIncident, AlertRule } from './incident.js';
import { plainText } from './plain-text.js';
import { shortTime } from './times.js';

/**
 * What a message says about an incident. `repeated`: it still fires. `ended`: it is over, and people are not told of it, for
 * example because it is muted; only receivers that keep incidents open get it.
 */
export const ALERT_NEWS = ['fired', 'repeated', 'recovered', 'corrected', 'no_data', 'ended'] as const;
export type AlertNews = (typeof ALERT_NEWS)[number];

/** Longest name in a line, code points. */
const MAX_NAME = 60;
const name = (text: string): string => plainText(text, MAX_NAME);

/**
 * One line that tells all, for the preview on a phone: `CRITICAL fraud-scoring · recall 0.78 < 0.84 (limit raised from 0.80
 * by ana) · since 09:40 · 3 of 3 runs`.
 * @param now ms
 * @param zone IANA name of the time zone of the times
 */
export function firstLine(incident: AlertIncident, news: AlertNews, now: number, zone: string): string {
  const { evidence, since } = incident;
  const began = Date.parse(since);
  const parts = [`${headword(incident, news)} ${subjectName(incident)}`, observation(incident, news)];
  if (news === 'recovered') {
    parts.push(`after ${formatDuration(now - began)}`, worstText(incident));
  } else if (news === 'corrected') {
    parts.push('a late run changed the result');
  } else if (news === 'ended') {
    parts.push(`after ${formatDuration(now - began)}`);
  } else {
    parts.push(`since ${shortTime(began, now, zone)}`, runsText(evidence));
    if (news === 'repeated') parts.push(`for ${formatDuration(now - began)}`);
  }
  return parts.filter((part) => part !== null).join(' · ');
}

const HEADWORDS: Readonly<Record<Exclude<AlertNews, 'fired'>, string>> = {
  repeated: 'STILL',
  recovered: 'RECOVERED',
  corrected: 'CORRECTED',
  no_data: 'NO DATA',
  ended: 'ENDED',
};

function headword({ severity }: AlertIncident, news: AlertNews): string {
  const word = severity.toUpperCase();
  if (news === 'fired') return word;
  return news === 'repeated' ? `${HEADWORDS.repeated} ${word}` : HEADWORDS[news];
}

const SERVICE_NAMES: Partial<Readonly<Record<AlertRule, string>>> = {
  mlflow_down: 'MLflow',
  catalog_down: 'metric catalog',
  store_down: 'object store',
  queue_down: 'queue',
};

/** `fraud-scoring`, `platform`, `MLflow` */
export function subjectName({ rule, subject, evidence }: AlertIncident): string {
  if (rule === 'experiment_refused') return `experiment ${name(evidence.display_name ?? 'unknown')}`;
  return SERVICE_NAMES[rule] ?? (subject.application === null ? 'platform' : name(subject.application));
}

/** What was observed and what is allowed: `recall 0.78 < 0.84`. */
function observation(incident: AlertIncident, news: AlertNews): string | null {
  const { rule, evidence } = incident;
  const isBad = news !== 'recovered' && news !== 'corrected';
  switch (rule) {
    case 'critical_runs':
    case 'pass_rate':
      return (isBad && worstMetric(evidence)) || `${RATES[rule]} ${comparison(evidence)}`;
    case 'newest_run':
      // The newest run is good, so no metric of it is to be named.
      if (!isBad && evidence.value === null) return 'the newest run is not critical';
      return `${metricName(incident)} ${comparison(evidence)}${isBad ? limitChange(evidence) : ''}`;
    case 'silent':
      return isBad ? silence(incident) : 'runs again';
    case 'likely_breach':
      return isBad ? likelyBreach(incident) : `${metricName(incident)} ${comparison(evidence)}`;
    case 'quality':
      return isBad ? findings(evidence) : 'data quality errors are gone';
    case 'experiment_refused':
      return isBad ? 'MLflow refuses access' : 'MLflow grants access';
    default:
      return isBad ? 'does not respond' : 'responds again';
  }
}

const RATES = { critical_runs: 'critical runs', pass_rate: 'pass rate' } as const;

/** The metric that is responsible tells more than the share of runs, which follows: `recall 0.78 < 0.84`. */
function worstMetric(evidence: AlertEvidence): string | null {
  const metric = evidence.worst_metric;
  if (metric === null || metric.limit === null) return null;
  return `${name(metric.display_name)} ${comparison({ ...evidence, ...metric })}${limitChange({ ...evidence, limit: metric.limit })}`;
}

const metricName = ({ evidence, subject }: AlertIncident): string =>
  name(evidence.display_name ?? subject.metric ?? 'metric');

/** `0.78 < 0.84`: the value, on which side of the limit it is, and the limit. */
function comparison({ value, limit, unit }: AlertEvidence): string {
  const short = unit === null ? null : name(unit);
  if (value === null) return 'has no valid value';
  if (limit === null) return formatQuantity(value, short);
  const sign = value < limit ? '<' : value > limit ? '>' : '=';
  return `${formatQuantity(value, short, limit)} ${sign} ${formatWithUnit(limit, short)}`;
}

/** ` (limit raised from 0.80 by ana)`; empty if the limit is not the cause. */
function limitChange({ cause, limit, limit_before, limit_changed_by }: AlertEvidence): string {
  if (cause !== 'new_threshold') return '';
  const who = limit_changed_by === null ? '' : ` by ${name(limit_changed_by)}`;
  if (limit_before === null || limit === null) return ` (new limit${who})`;
  if (limit_before === limit) return ` (threshold changed${who})`;
  const verb = limit > limit_before ? 'raised' : 'lowered';
  return ` (limit ${verb} from ${withDecimalsOf(limit_before, limit)}${who})`;
}

/** A number with at least as many decimals as another: 0.8 beside 0.84 is `0.80`. */
function withDecimalsOf(value: number, other: number): string {
  const text = formatWithUnit(value, null);
  const decimals = (number: number) => String(number).split('.')[1]?.length ?? 0;
  const isPlain = [value, other].every((number) => !String(number).includes('e'));
  const missing = isPlain ? decimals(other) - decimals(value) : 0;
  if (missing <= 0) return text;
  return `${text}${decimals(value) === 0 ? '.' : ''}${'0'.repeat(missing)}`;
}

function silence({ subject, evidence: { value, limit } }: AlertIncident): string {
  const what = subject.scope === 'platform' ? 'no run of any application' : 'no run';
  const since = value === null ? what : `${what} for ${formatDuration(value)}`;
  return limit === null ? since : `${since}, usually every ${formatPeriod(limit)}`;
}

function likelyBreach(incident: AlertIncident): string {
  const { value, limit, unit, expected_breach } = incident.evidence;
  const status = expected_breach?.status ?? 'critical';
  const short = unit === null ? null : name(unit);
  const level = value === null ? '' : ` ${formatQuantity(value, short, limit)}`;
  const which =
    limit === null ? `its ${status} limit` : `its ${status} limit of ${formatWithUnit(limit, short)}`;
  return `${metricName(incident)}${level} is likely to pass ${which}`;
}

function findings({ value }: AlertEvidence): string {
  if (value === null) return 'data quality errors';
  return value === 1 ? '1 data quality error' : `${formatWithUnit(value, null)} data quality errors`;
}

function runsText({ runs }: AlertEvidence): string | null {
  return runs === null ? null : `${runs.bad} of ${runs.all} runs`;
}

/** `worst 0.71`; null for rules without a value that people compare. */
function worstText({ rule, worst, evidence }: AlertIncident): string | null {
  if (worst === null || !['critical_runs', 'pass_rate', 'newest_run'].includes(rule)) return null;
  // Of a metric that the line does not name.
  if (rule === 'newest_run' && evidence.value === null) return null;
  const short = evidence.unit === null ? null : name(evidence.unit);
  return `worst ${formatQuantity(worst, short, evidence.limit)}`;
}
