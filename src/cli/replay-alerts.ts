import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readPolicyFiles } from '../alerts/alert-policies.js';
import { deliveryPolicy } from '../alerts/channels/routes.js';
import { policyOf } from '../alerts/policy-file.js';
import { type Replay, replayAlerts } from '../alerts/replay/replay-alerts.js';
import type { Settings } from '../config/settings.js';
import { firstLine } from '../domain/alerts/first-line.js';
import type { AlertTransition } from '../domain/alerts/incident.js';
import { newsOf } from '../domain/alerts/plan-messages.js';
import { SERVICE_RULES } from '../domain/alerts/policy.js';
import { type ReplaySummary, summarizeReplay } from '../domain/alerts/replay-summary.js';
import { fullTime } from '../domain/alerts/times.js';
import { MonitorError } from '../domain/errors.js';
import { formatDuration } from '../domain/format.js';
import { escapeControls } from '../domain/text.js';
import { addDays, dayOf, dayStart } from '../domain/time.js';
import { Duck } from '../storage/duck.js';
import { openStoreForReading } from '../storage/inspect-store.js';

export interface ReplayOptions {
  /** First and last UTC day. */
  readonly from: string;
  readonly to: string;
  /** The time between two evaluations, ms. */
  readonly step: number;
  readonly json: boolean;
}

/** Steps that are shorter than any delta show nothing new. */
const MIN_STEP_MS = 60_000;

/**
 * Prints what would have alerted on the stored history by the policy files of the settings. It only reads the store, so a
 * service may be running on it, and sends nothing.
 * @param now ms
 * @throws {MonitorError} `settings_file`, `wrong_days`, `wrong_step`, `nothing_stored`
 */
export async function replay(settings: Settings, options: ReplayOptions, now: number): Promise<void> {
  const from = dayStart(options.from);
  const to = Math.min(now, dayStart(addDays(options.to, 1)));
  if (to < from || options.from > options.to)
    throw new MonitorError('wrong_days', '--from must not be after --to, and not in the future');
  if (options.step < MIN_STEP_MS) throw new MonitorError('wrong_step', '--step must be at least 1m');
  const { ALERTS_FILE: alertsFile, OWNERS_FILE: ownersFile } = settings;
  const { alerts, owners } = await readPolicyFiles({ alertsFile, ownersFile });
  const { step: stepMs } = options;
  const request = { from, to, stepMs, policy: { ...policyOf(alerts), owners } };
  const found = await replayed(settings, request);
  const { transitions } = found;
  const zone = deliveryPolicy(alerts, settings).digest.time_zone;
  const summary = summarizeReplay(transitions, from, to);
  const lines = options.json
    ? JSON.stringify(jsonOf(found, summary, { from, to, stepMs, zone }), null, 2).split('\n')
    : [
        ...transitions.flatMap((each) => describeTransition(each, zone)),
        '',
        ...tables(summary),
        '',
        ...notReplayed(found, from),
      ];
  console.log(lines.map(escapeControls).join('\n'));
}

/** Not in `STORAGE_DIR`: a running service owns that. */
async function replayed(settings: Settings, request: Parameters<typeof replayAlerts>[1]): Promise<Replay> {
  const temp = await mkdtemp(join(tmpdir(), 'mlflow-monitor-'));
  try {
    await mkdir(join(temp, '.tmp'), { recursive: true });
    const { store, folder } = await openStoreForReading(settings, temp);
    try {
      const limits = { memory: settings.DUCKDB_MEMORY_LIMIT, alsoReads: folder };
      const duck = await Duck.open(temp, limits);
      try {
        const found = await replayAlerts({ store, duck, settings }, request);
        if (found) return found;
        const message = `No history of these days in ${store.description}`;
        throw new MonitorError('nothing_stored', message, { where: store.description });
      } finally {
        duck.close();
      }
    } finally {
      await store.close();
    }
  } finally {
    await rm(temp, { recursive: true, force: true });
  }
}

/** What people would have read, and whether only in the digest. */
function describeTransition(transition: AlertTransition, zone: string): string[] {
  const at = Date.parse(transition.at);
  return newsOf(transition).map(({ news, incident, held }) => {
    const line = firstLine(incident, news, at, zone);
    return `${fullTime(at, zone)}  ${line}${held === null ? '' : ` (digest: ${held.replace('_', ' ')})`}`;
  });
}

/** What may have alerted live and is missing, in sentences. */
function notReplayed({ qualityFrom }: Replay, from: number): string[] {
  const quality =
    qualityFrom === null
      ? ['Not replayed: quality. No verdicts on data quality are stored.']
      : qualityFrom > from
        ? [`Not replayed before ${new Date(qualityFrom).toISOString()}: quality. Its verdicts begin then.`]
        : [];
  return [
    `Not replayed: ${SERVICE_RULES.join(', ')}. Whether services answered is not stored.`,
    ...quality,
    'Not applied: mutes, acknowledgements, quiet hours, routes and repetitions.',
  ];
}

function tables({ weeks, rules }: ReplaySummary): string[] {
  if (rules.length === 0) return ['Nothing would have fired.'];
  const duration = (ms: number | null) => (ms === null ? '-' : formatDuration(ms));
  const percent = (share: number | null) => (share === null ? '-' : `${Math.round(share)} %`);
  return [
    ...columns([
      ['WEEK FROM', 'ALERTS', 'ONLY IN THE DIGEST'],
      ...weeks.map(({ from, messages, digest }) => [dayOf(from), `${messages}`, `${digest}`]),
    ]),
    '',
    ...columns([
      ['RULE', 'ALERTS', 'ONLY IN THE DIGEST', 'MEDIAN TIME TO RECOVERY', 'SHARE OF ALERTS'],
      ...rules.map(({ rule, messages, digest, median_recovery, share }) => [
        rule,
        `${messages}`,
        `${digest}`,
        duration(median_recovery),
        percent(share),
      ]),
    ]),
  ];
}

/** Rows of equally wide columns. */
function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

interface Span {
  readonly from: number;
  readonly to: number;
  readonly stepMs: number;
  readonly zone: string;
}

function jsonOf(found: Replay, { weeks, rules }: ReplaySummary, { from, to, stepMs, zone }: Span) {
  return {
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
    step_seconds: stepMs / 1000,
    not_replayed: notReplayed(found, from),
    alerts: found.transitions.flatMap((transition) =>
      newsOf(transition).map(({ news, incident, held }) => ({
        at: transition.at,
        news,
        held,
        incident: incident.id,
        rule: incident.rule,
        ...incident.subject,
        severity: incident.severity,
        owner: incident.owner,
        line: firstLine(incident, news, Date.parse(transition.at), zone),
      })),
    ),
    weeks: weeks.map(({ from: start, ...counts }) => ({ from: dayOf(start), ...counts })),
    rules: rules.map(({ median_recovery, ...rest }) => ({
      ...rest,
      median_recovery_seconds: median_recovery === null ? null : median_recovery / 1000,
    })),
  };
}
