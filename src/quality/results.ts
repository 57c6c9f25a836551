import {
  COUNTED_CHECKS,
  type CountedCheck,
  QUALITY_CHECKS,
  type QualityCheck,
  type QualityLimits,
} from '../domain/quality/checks.js';
import {
  type Baseline,
  type DayMeasures,
  measureCounts,
  measureFreshness,
  measureRunning,
  measureVolume,
} from '../domain/quality/measure.js';
import type { CheckResult } from '../domain/quality/verdicts.js';
import { addDays, dayOf } from '../domain/time.js';

/** What is known when checks are judged. */
export interface Measured {
  /** By day. */
  readonly days: Readonly<Record<string, DayMeasures>>;
  readonly baseline: Baseline;
  /** Ids of the runs that have not ended. */
  readonly openRuns: ReadonlySet<string>;
  readonly errors: Readonly<Partial<Record<CountedCheck, string>>>;
}

/** The results of the checks that are enabled, as of a time. @param at ms */
export function qualityResults(
  { days, baseline, openRuns, errors }: Measured,
  limits: QualityLimits,
  at: number,
): Partial<Record<QualityCheck, CheckResult>> {
  const newestFirst = Object.entries(days)
    .sort(([a], [b]) => (a < b ? 1 : -1))
    .map(([, measures]) => measures);
  const running = [...newestFirst, baseline]
    .flatMap((each) => each.running)
    .filter(({ run_id }) => openRuns.has(run_id));
  const unique = [...new Map(running.map((run) => [run.run_id, run])).values()];
  const lastDay = days[addDays(dayOf(at), -1)];
  const resultOf = (check: QualityCheck): CheckResult => {
    if (isCounted(check)) {
      const error = errors[check];
      return error === undefined ? measureCounts(check, newestFirst) : { error };
    }
    if (check === 'data_freshness') return measureFreshness(baseline, newestFirst, at);
    if (check === 'volume') return lastDay ? measureVolume(baseline, lastDay) : [];
    return measureRunning(baseline, unique, limits.stuck_runs.limit, at);
  };
  const enabled = QUALITY_CHECKS.filter((check) => limits[check].enabled);
  return Object.fromEntries(enabled.map((check) => [check, resultOf(check)]));
}

const isCounted = (check: QualityCheck): check is CountedCheck =>
  (COUNTED_CHECKS as readonly QualityCheck[]).includes(check);
