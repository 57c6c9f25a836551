import { addCounts, comparePercent, NO_RUNS, rates } from '../light.js';
import type { DomainSettings, RunCounts } from '../model.js';
import type { AlertEvidence } from './incident.js';
import type { Tally } from './measurements.js';
import type { RulePolicy } from './policy.js';
import type { AlertSignal, Verdict } from './signal.js';

/** The rules over the runs of the current span, judged as the lights are. */
export const RATE_RULES = ['critical_runs', 'pass_rate'] as const;
export type RateRule = (typeof RATE_RULES)[number];

type Policy = Pick<RulePolicy, 'limit' | 'recovery_margin'>;
type Settings = Pick<DomainSettings, 'critical_runs_percent' | 'pass_rate_percent'>;

/** The limit of a rule in percent: that of the policy, else that of the lights. */
export function rateLimit(rule: RateRule, { limit }: Pick<Policy, 'limit'>, settings: Settings): number {
  return limit ?? (rule === 'critical_runs' ? settings.critical_runs_percent : settings.pass_rate_percent);
}

/** A share equal to the limit is on its good side, as for the lights. */
export function rateVerdict(rule: RateRule, counts: RunCounts, policy: Policy, settings: Settings): Verdict {
  const { evaluated } = rates(counts);
  if (evaluated === 0) return 'no_data';
  const limit = rateLimit(rule, policy, settings);
  const part = rule === 'critical_runs' ? counts.critical : counts.healthy + counts.warning;
  return shareVerdict(rule, part, evaluated, limit, policy.recovery_margin);
}

/** As `rateVerdict`: `part` of `whole` runs are critical or have passed. Both are whole numbers. */
export function shareVerdict(
  rule: RateRule,
  part: number,
  whole: number,
  limit: number,
  margin: number,
): Verdict {
  if (rule === 'critical_runs') {
    if (comparePercent(part, whole, limit) > 0) return 'violated';
    return comparePercent(part, whole, Math.max(0, limit - margin)) > 0 ? 'between' : 'met';
  }
  if (comparePercent(part, whole, limit) < 0) return 'violated';
  return comparePercent(part, whole, Math.min(100, limit + margin)) < 0 ? 'between' : 'met';
}

export const allCounts = ({ counts }: Tally): RunCounts =>
  addCounts(addCounts(counts.on_time, counts.late), counts.new_late);

export const NO_TALLY: Tally = {
  counts: { on_time: NO_RUNS, late: NO_RUNS, new_late: NO_RUNS },
  newest: null,
};

/** The runs of several subjects together. */
export function sumTallies(tallies: readonly Tally[]): Tally {
  return tallies.reduce(
    (sum, { counts, newest }) => ({
      counts: {
        on_time: addCounts(sum.counts.on_time, counts.on_time),
        late: addCounts(sum.counts.late, counts.late),
        new_late: addCounts(sum.counts.new_late, counts.new_late),
      },
      newest: newest === null ? sum.newest : Math.max(newest, sum.newest ?? newest),
    }),
    NO_TALLY,
  );
}

type Verdicts = Pick<AlertSignal, 'verdict' | 'verdict_on_time' | 'verdict_before_late'>;

/** The verdicts over all runs, over those on time, and over those that the previous evaluation could see. */
export function rateVerdicts(rule: RateRule, tally: Tally, policy: Policy, settings: Settings): Verdicts {
  const { counts } = tally;
  const judge = (some: RunCounts) => rateVerdict(rule, some, policy, settings);
  return {
    verdict: judge(allCounts(tally)),
    verdict_on_time: judge(counts.on_time),
    verdict_before_late: judge(addCounts(counts.on_time, counts.late)),
  };
}

/** Of how many evaluated runs how many are bad, and their share in percent. */
export function rateEvidence(
  rule: RateRule,
  tally: Tally,
  policy: Policy,
  settings: Settings,
): Pick<AlertEvidence, 'value' | 'limit' | 'unit' | 'higher_is_better' | 'runs'> {
  const counts = allCounts(tally);
  const { evaluated, pass_rate } = rates(counts);
  const isCritical = rule === 'critical_runs';
  const bad = isCritical ? counts.critical : counts.critical + counts.invalid;
  const share = evaluated === 0 ? null : (100 * counts.critical) / evaluated;
  return {
    value: isCritical ? share : pass_rate,
    limit: rateLimit(rule, policy, settings),
    unit: '%',
    higher_is_better: !isCritical,
    runs: { bad, all: evaluated },
  };
}

export const windowOf = (tally: Tally): AlertSignal['window'] =>
  tally.newest === null
    ? null
    : { newest: new Date(tally.newest).toISOString(), runs: allCounts(tally).total };
