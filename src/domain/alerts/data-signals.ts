import { type AlertIncident, incidentKey, NO_EVIDENCE } from './incident.js';
import { applicationSubject, iso, NOBODY, ownership, PLATFORM, signalOf } from './make-signal.js';
import type { ApplicationMeasurement, DataMeasurements, EndedRun, Ownership } from './measurements.js';
import type { AlertPolicy } from './policy.js';
import { NO_TALLY, RATE_RULES, rateEvidence, rateVerdicts, sumTallies, windowOf } from './rate-rules.js';
import type { AlertSignal, Verdict } from './signal.js';
import { silentSignals } from './silent-signals.js';

/** The platform is red only if so many applications are. */
const MIN_RED_APPLICATIONS = 2;

type Context = DataMeasurements & {
  readonly policy: AlertPolicy;
  /** By key. */
  readonly open: ReadonlyMap<string, AlertIncident>;
};
/**
 * What the data rules say about every subject.
 * @param open the incidents of the previous evaluation: one whose condition is no longer measured is met
 */
export function dataSignals(
  measured: DataMeasurements,
  policy: AlertPolicy,
  open: readonly AlertIncident[],
): AlertSignal[] {
  const context = { ...measured, policy, open: new Map(open.map((each) => [each.key, each])) };
  const ownerOf = new Map(measured.applications.map((each) => [each.application, ownership(each)]));
  const applications = measured.applications.flatMap((each) => applicationSignals(each, context));
  const signals = [
    ...platformSignals(context, applications),
    ...applications,
    ...silentSignals(measured, policy),
    ...metricSignals(context, ownerOf),
    ...likelySignals(context, ownerOf),
    ...qualitySignals(context, ownerOf),
  ];
  return [...signals, ...endedSignals(signals, open)];
}

/** Findings that are no longer there. A silent application whose signal is missing is gone, so it is cleared. */
function endedSignals(signals: readonly AlertSignal[], open: readonly AlertIncident[]): AlertSignal[] {
  const measured = new Set(signals.map(({ rule, subject }) => incidentKey(rule, subject)));
  return open
    .filter(({ rule, key }) => ['likely_breach', 'quality'].includes(rule) && !measured.has(key))
    .map(({ rule, subject, evidence }) => signalOf({ rule, subject, verdict: 'met', evidence }));
}

function applicationSignals(each: ApplicationMeasurement, context: Context): AlertSignal[] {
  const { policy, settings } = context;
  const subject = applicationSubject(each.application);
  const { reason, tally, coverage } = each;
  const owner = ownership(each);
  const rateSignals = RATE_RULES.map((rule) =>
    signalOf({
      rule,
      subject,
      ...rateVerdicts(rule, tally, policy.rules[rule], settings),
      since: iso(reason?.since ?? null),
      window: windowOf(tally),
      evidence: {
        ...NO_EVIDENCE,
        ...rateEvidence(rule, tally, policy.rules[rule], settings),
        coverage,
        run: reason?.run ?? null,
        cause: reason?.cause ?? null,
        why: reason?.why ?? null,
        limit_before: reason?.limit_before ?? null,
        limit_changed_by: reason?.limit_changed_by ?? null,
        worst_metric: reason?.metric ?? null,
      },
      ...owner,
    }),
  );
  return [...rateSignals, newestRunSignal(each)];
}

function newestRunSignal(each: ApplicationMeasurement): AlertSignal {
  const { ended, ended_metric, reason, coverage, application } = each;
  const [newest] = ended;
  const shown = newest?.status === 'critical' ? ended_metric : null;
  const isReason = shown !== null && reason?.metric?.metric_name === shown.metric_name;
  return signalOf({
    rule: 'newest_run',
    subject: applicationSubject(application),
    verdict: endedVerdict(ended),
    verdict_on_time: endedVerdict(ended.filter(({ arrival }) => arrival === 'on_time')),
    verdict_before_late: endedVerdict(ended.filter(({ arrival }) => arrival !== 'new_late')),
    since: newest?.time ?? null,
    evidence: {
      ...NO_EVIDENCE,
      value: shown?.value ?? null,
      limit: shown?.limit ?? null,
      unit: shown?.unit ?? null,
      display_name: shown?.display_name ?? null,
      higher_is_better: shown?.higher_is_better ?? null,
      runs: { bad: ended.filter(({ status }) => status === 'critical').length, all: ended.length },
      run: newest ? runOf(newest) : null,
      coverage,
      ...(isReason
        ? {
            cause: reason.cause,
            why: reason.why,
            limit_before: reason.limit_before,
            limit_changed_by: reason.limit_changed_by,
          }
        : {}),
    },
    ...ownership(each),
  });
}

const runOf = ({ run_id, run_name, user, experiment_id, time }: EndedRun) => ({
  run_id,
  run_name,
  user,
  experiment_id,
  time,
});

function endedVerdict([newest]: readonly EndedRun[]): Verdict {
  if (!newest) return 'no_data';
  if (newest.status === 'critical') return 'violated';
  return newest.status === 'invalid' ? 'between' : 'met';
}

function platformSignals(context: Context, applications: readonly AlertSignal[]): AlertSignal[] {
  const { policy, settings } = context;
  const tally = sumTallies(context.applications.map((each) => each.tally));
  const red = (verdict: 'verdict' | 'verdict_on_time' | 'verdict_before_late') => {
    const found = applications.filter(
      (each) => (RATE_RULES as readonly string[]).includes(each.rule) && each[verdict] === 'violated',
    );
    return [...new Set(found.map(({ subject }) => subject.application ?? ''))];
  };
  const limited = (verdict: Verdict, count: number): Verdict =>
    verdict === 'violated' && count < MIN_RED_APPLICATIONS ? 'between' : verdict;
  const names = red('verdict');
  return RATE_RULES.map((rule) => {
    const verdicts = rateVerdicts(rule, tally, policy.rules[rule], settings);
    return signalOf({
      rule,
      subject: PLATFORM,
      verdict: limited(verdicts.verdict, names.length),
      verdict_on_time: limited(verdicts.verdict_on_time, red('verdict_on_time').length),
      verdict_before_late: limited(verdicts.verdict_before_late, red('verdict_before_late').length),
      window: windowOf(tally),
      evidence: {
        ...NO_EVIDENCE,
        ...rateEvidence(rule, tally, policy.rules[rule], settings),
        why: names.length === 0 ? null : `Critical: ${shortList(names)}.`,
      },
    });
  });
}

const LISTED = 5;
const shortList = (names: readonly string[]): string =>
  names.length <= LISTED
    ? names.join(', ')
    : `${names.slice(0, LISTED).join(', ')} and ${names.length - LISTED} more`;

/** Of metrics without bad runs, only those with an open incident matter. */
function metricSignals(context: Context, ownerOf: ReadonlyMap<string, Ownership>): AlertSignal[] {
  const { policy, settings, metrics, open } = context;
  const known = new Set(context.applications.map(({ application }) => application));
  const measured = metrics.flatMap(({ application, metric_name, tally, newest, reason }) => {
    const subject = { ...applicationSubject(application), scope: 'metric' as const, metric: metric_name };
    return RATE_RULES.flatMap((rule) => {
      const verdicts = rateVerdicts(rule, tally, policy.rules[rule], settings);
      const matters = verdicts.verdict === 'violated' || open.has(incidentKey(rule, subject));
      if (!matters) return [];
      const { run, metric_name: _, ...shown } = newest;
      return signalOf({
        rule,
        subject,
        ...verdicts,
        since: run.time,
        window: windowOf(tally),
        evidence: {
          ...NO_EVIDENCE,
          ...rateEvidence(rule, tally, policy.rules[rule], settings),
          display_name: shown.display_name,
          run,
          worst_metric: metricOf(newest),
          ...reason,
        },
        ...(ownerOf.get(application) ?? NOBODY),
      });
    });
  });
  return [...measured, ...missingMetrics(measured, context, known)];
}

const metricOf = ({
  metric_name,
  display_name,
  unit,
  value,
  limit,
}: DataMeasurements['metrics'][number]['newest']) => ({ metric_name, display_name, unit, value, limit });

/** A metric without a run in the span has no data; one of an application that is gone is cleared. */
function missingMetrics(
  measured: readonly AlertSignal[],
  { open, policy, settings }: Context,
  applications: ReadonlySet<string>,
): AlertSignal[] {
  const keys = new Set(measured.map(({ rule, subject }) => incidentKey(rule, subject)));
  return [...open.values()].flatMap(({ key, rule, subject }) => {
    const isRate = RATE_RULES.find((each) => each === rule);
    const isMissing = isRate && subject.scope === 'metric' && !keys.has(key);
    if (!isMissing || !applications.has(subject.application ?? '')) return [];
    return signalOf({ rule, subject, ...rateVerdicts(isRate, NO_TALLY, policy.rules[isRate], settings) });
  });
}

function likelySignals(
  { likely, to, policy }: Context,
  ownerOf: ReadonlyMap<string, Ownership>,
): AlertSignal[] {
  const hours = policy.rules.likely_breach.limit;
  return likely
    .filter(({ expected }) => hours === null || expected - to <= hours * 3_600_000)
    .map(({ application, metric, status, expected, run }) =>
      signalOf({
        rule: 'likely_breach',
        subject: { ...applicationSubject(application), scope: 'metric', metric: metric.metric_name },
        verdict: 'violated',
        evidence: {
          ...NO_EVIDENCE,
          value: metric.value,
          limit: metric.limit,
          unit: metric.unit,
          display_name: metric.display_name,
          higher_is_better: metric.higher_is_better,
          run,
          expected_breach: { status, at: new Date(expected).toISOString() },
        },
        ...(ownerOf.get(application) ?? NOBODY),
      }),
    );
}

function qualitySignals({ quality }: Context, ownerOf: ReadonlyMap<string, Ownership>): AlertSignal[] {
  return quality.map(({ check_name, application, affected, meaning, since }) =>
    signalOf({
      rule: 'quality',
      subject: { ...(application === null ? PLATFORM : applicationSubject(application)), item: check_name },
      verdict: 'violated',
      since,
      evidence: { ...NO_EVIDENCE, value: affected, display_name: check_name, why: meaning },
      ...(ownerOf.get(application ?? '') ?? NOBODY),
    }),
  );
}
