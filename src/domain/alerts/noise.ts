import { MS_PER_DAY } from '../time.js';
import { ALERT_RULES, type AlertChange, type AlertRule } from './incident.js';

/** Noise is counted over so many days. */
export const NOISE_DAYS = 30;

/** A transition, as far as noise needs it. */
export interface RuleChange {
  readonly rule: AlertRule;
  readonly change: AlertChange;
}

/** How often incidents of a rule fired, in a message or the digest, and how often people acknowledged or muted one. */
export interface RuleNoise {
  readonly rule: AlertRule;
  readonly fired: number;
  readonly acknowledged: number;
  readonly muted: number;
}

/**
 * The noise of each rule in the last `NOISE_DAYS`: a rule that fires often and is muted often needs another limit.
 * @param evaluations `to` in ms
 * @param now ms
 */
export function noiseOf(
  evaluations: readonly { readonly to: number; readonly changes: readonly RuleChange[] }[],
  now: number,
): RuleNoise[] {
  const changes = evaluations
    .filter(({ to }) => to > now - NOISE_DAYS * MS_PER_DAY)
    .flatMap((evaluation) => evaluation.changes);
  return ALERT_RULES.map((rule) => {
    const own = changes.filter((each) => each.rule === rule);
    const count = (change: AlertChange) => own.filter((each) => each.change === change).length;
    return { rule, fired: count('fired'), acknowledged: count('acknowledged'), muted: count('muted') };
  });
}
