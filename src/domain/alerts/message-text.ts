import { formatQuantity } from '../format.js';
import { runUrl } from '../mlflow-urls.js';
import { applicationPath, incidentPath, metricPath } from '../page-paths.js';
import { firstLine } from './first-line.js';
import type { AlertIncident, DigestReason } from './incident.js';
import { noiseLines } from './noise-text.js';
import { plainText } from './plain-text.js';
import type { AlertMessage, MessageLine } from './plan-messages.js';
import { fullTime } from './times.js';

/** What a message needs besides its facts. */
export interface MessageContext {
  /** The address of the page, without a slash at the end; null: there are no links to it. */
  readonly publicUrl: string | null;
  /** The address of MLflow for links, without a slash at the end. */
  readonly mlflowUrl: string;
  /** IANA name of the time zone of all times. */
  readonly zone: string;
}

export interface MessageLink {
  readonly label: 'Metric' | 'Application' | 'Run in MLflow' | 'Runbook' | 'Mute' | 'All alerts';
  readonly url: string;
}

/** One incident: printable lines, without markup. */
export interface TextLine {
  readonly headline: string;
  readonly details: readonly string[];
  readonly links: readonly MessageLink[];
}

/** A message for people, before a channel gives it a form. */
export interface MessageText {
  /** The first line: subject of a mail, preview on a phone. */
  readonly title: string;
  /** Worst first. With several incidents they have no details. */
  readonly lines: readonly TextLine[];
  readonly links: readonly MessageLink[];
  /** Printable lines after all incidents. */
  readonly notes: readonly string[];
}

/** Longest text of others in a detail, code points. */
const MAX_TEXT = 300;

export function messageText(message: AlertMessage, context: MessageContext): MessageText {
  const { lines } = message;
  const only = lines.length === 1 && message.kind === 'alert';
  const overview = context.publicUrl === null ? [] : [link('All alerts', `${context.publicUrl}/alerts`)];
  return {
    title: title(message, context),
    lines: lines.map((line) => ({
      headline: headline(line, message, context),
      details: only ? details(line.incident, context) : [],
      links: only ? incidentLinks(line.incident, context) : [],
    })),
    links: only ? [] : overview,
    notes: noiseLines(message.noise ?? []),
  };
}

function title(message: AlertMessage, context: MessageContext): string {
  const [worst] = message.lines;
  if (message.kind === 'digest')
    return `DIGEST · ${worst ? counts(message.lines) : 'noise of the last 30 days'}`;
  if (message.kind === 'test' || !worst)
    return `TEST of route ${message.route} · this is no alert · mlflow-monitor can deliver messages here`;
  const others = message.lines.length - 1;
  const line = headline(worst, message, context);
  return others === 0 ? line : `${line} · and ${others} more`;
}

/** `2 critical, 1 warning, 3 recovered` */
function counts(lines: readonly MessageLine[]): string {
  const groups = new Map<string, number>();
  for (const { news, incident } of lines) {
    const isOpen = news === 'fired' || news === 'repeated';
    const name = isOpen ? incident.severity : news.replace('_', ' ');
    groups.set(name, (groups.get(name) ?? 0) + 1);
  }
  return [...groups].map(([name, count]) => `${count} ${name}`).join(', ');
}

const HELD: Readonly<Record<'quiet_hours' | DigestReason, string>> = {
  quiet_hours: 'held back by quiet hours',
  first_evaluation: 'not new: red at the first evaluation',
  upgrade: 'not new: red at the first evaluation by this release',
  late_data: 'from runs that arrived late',
  policy: 'only in the digest',
};

function headline(
  { news, incident, held }: MessageLine,
  { at }: AlertMessage,
  { zone }: MessageContext,
): string {
  const line = firstLine(incident, news, Date.parse(at), zone);
  return held === null ? line : `${line} (${HELD[held]})`;
}

function details(incident: AlertIncident, { zone }: MessageContext): string[] {
  const { evidence, since, owner, contact } = incident;
  const { run, why, coverage, expected_breach: breach, worst_metric: worst } = evidence;
  const text = (value: string) => plainText(value, MAX_TEXT);
  const user = run?.user ? ` by ${text(run.user)}` : '';
  return [
    why && `Why: ${text(why)}`,
    worst && `Worst metric: ${text(worst.display_name)}${valueText(worst)}`,
    run && `Run: ${text(run.run_name)}${user}, ${fullTime(Date.parse(run.time), zone)}`,
    `Since: ${fullTime(Date.parse(since), zone)}`,
    coverage && `Coverage: ${coverage.monitored} of ${coverage.all} metrics have thresholds`,
    breach && `Forecast: likely ${breach.status} on ${fullTime(Date.parse(breach.at), zone)}`,
    `Owner: ${owner === null ? 'unknown' : text(owner)}${contact === null ? '' : `, ${text(contact)}`}`,
  ].filter((line) => line !== null);
}

function valueText({ value, limit, unit }: NonNullable<AlertIncident['evidence']['worst_metric']>): string {
  if (value === null) return ', no valid value';
  const short = unit === null ? null : plainText(unit, MAX_TEXT);
  const limitText = limit === null ? '' : ` (limit ${formatQuantity(limit, short)})`;
  return ` ${formatQuantity(value, short, limit)}${limitText}`;
}

const link = (label: MessageLink['label'], url: string): MessageLink => ({ label, url });

function incidentLinks(incident: AlertIncident, { publicUrl, mlflowUrl }: MessageContext): MessageLink[] {
  const { application, metric } = incident.subject;
  const { run } = incident.evidence;
  const page = (label: MessageLink['label'], path: string) =>
    publicUrl === null ? [] : [link(label, `${publicUrl}/${path}`)];
  return [
    ...(application !== null && metric !== null ? page('Metric', metricPath(application, metric)) : []),
    ...(application !== null && metric === null ? page('Application', applicationPath(application)) : []),
    ...(run ? [link('Run in MLflow', runUrl(mlflowUrl, run))] : []),
    ...runbookLink(incident.runbook),
    ...page('Mute', incidentPath(incident.id)),
  ];
}

/** Only web addresses: a link of another scheme may start a program. */
function runbookLink(runbook: string | null): MessageLink[] {
  if (runbook === null || !URL.canParse(runbook)) return [];
  const { protocol, href } = new URL(runbook);
  return protocol === 'http:' || protocol === 'https:' ? [link('Runbook', href)] : [];
}
