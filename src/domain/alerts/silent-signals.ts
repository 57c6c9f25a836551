import { ATTENTION_SPAN_MS } from '../needs-attention.js';
import { usualPeriod } from '../run-frequency.js';
import { NO_EVIDENCE } from './incident.js';
import { applicationSubject, iso, ownership, PLATFORM, signalOf } from './make-signal.js';
import type { ApplicationMeasurement, DataMeasurements } from './measurements.js';
import type { AlertPolicy } from './policy.js';
import type { AlertSignal } from './signal.js';
import { outagesOf, overlap, type Pause, runHistoryOf, type Silence, silenceVerdict } from './silence.js';

/** Fewer are no platform: the one application says it all. */
const MIN_APPLICATIONS = 2;

type Measured = Pick<DataMeasurements, 'to' | 'applications' | 'all_runs'>;

/**
 * Who has not run for longer than usual: each application, and all of them together. What stops them all is one cause, so the
 * pause that it has made does not count against any of them afterwards.
 */
export function silentSignals(measured: Measured, policy: AlertPolicy): AlertSignal[] {
  const { to, all_runs } = measured;
  const factor = policy.rules.silent.limit ?? 1;
  const active = activeApplications(measured.applications);
  if (!all_runs || active.length < MIN_APPLICATIONS) return ofApplications(measured, [], factor);
  const verdict = silenceVerdict(all_runs, to, factor);
  // Nobody waits for any of them.
  if (verdict === 'gone') return [];
  const outages = outagesOf(all_runs, factor);
  return [
    ...ofPlatform(active, { to, last: all_runs.last }, verdict),
    ...ofApplications(measured, outages, factor),
  ];
}

/** Those that have run in the week before the last run of any of them. */
function activeApplications(applications: readonly ApplicationMeasurement[]): ApplicationMeasurement[] {
  const newest = Math.max(...applications.map(({ last_run }) => last_run ?? Number.NEGATIVE_INFINITY));
  return applications.filter(({ last_run }) => last_run !== null && last_run >= newest - ATTENTION_SPAN_MS);
}

/** Those whose runs are not all published say nothing. */
function ofPlatform(
  active: readonly ApplicationMeasurement[],
  { to, last }: { readonly to: number; readonly last: number },
  verdict: Silence,
): AlertSignal[] {
  const parts = { rule: 'silent', subject: PLATFORM } as const;
  if (active.filter(({ is_current }) => is_current).length < MIN_APPLICATIONS)
    return [signalOf({ ...parts, verdict: 'no_data' })];
  const idle = active.filter(({ running }) => !running);
  if (!isSilent(verdict) || idle.length < MIN_APPLICATIONS) return [signalOf({ ...parts, verdict: 'met' })];
  const evidence = {
    ...NO_EVIDENCE,
    value: to - last,
    higher_is_better: false,
    why: `None of ${active.length} applications has started a run since.`,
  };
  return [signalOf({ ...parts, ...verdictsOf(verdict), since: iso(last), evidence })];
}

const isSilent = (verdict: Silence): boolean => verdict === 'violated' || verdict === 'past';

/** What a backfill shows about the past alerts no one. */
const verdictsOf = (verdict: Silence) => ({
  verdict: isSilent(verdict) ? ('violated' as const) : ('met' as const),
  verdict_on_time: verdict === 'violated' ? ('violated' as const) : ('met' as const),
});

function ofApplications(
  { to, applications }: Measured,
  outages: readonly Pause[],
  factor: number,
): AlertSignal[] {
  return applications.flatMap((each): AlertSignal[] => {
    const { application, last_run, running, is_current, times } = each;
    if (last_run === null) return [];
    const parts = { rule: 'silent', subject: applicationSubject(application), ...ownership(each) } as const;
    if (!is_current) return [signalOf({ ...parts, verdict: 'no_data' })];
    const history = runHistoryOf(times);
    if (running || !history) return [signalOf({ ...parts, verdict: 'met' })];
    const excused = overlap({ from: last_run, to }, outages);
    const verdict = silenceVerdict(history, to, factor, excused);
    if (verdict === 'gone' || verdict === 'unknown') return [];
    const limit = usualPeriod(times);
    const evidence = { ...NO_EVIDENCE, value: to - last_run, limit, higher_is_better: false };
    return [signalOf({ ...parts, ...verdictsOf(verdict), since: iso(last_run), evidence })];
  });
}
