import { groupBy } from '../group-by.js';
import { median } from '../run-frequency.js';
import { MS_PER_DAY } from '../time.js';
import { ALERT_RULES, type AlertChange, type AlertIncident, type AlertRule } from './incident.js';
import { lastsLongEnough } from './next-state.js';
import { RATE_RULES, shareVerdict } from './rate-rules.js';

/** Noise is counted over so many days. */
export const NOISE_DAYS = 30;
/** So many rules come with a setting that would have halved them. */
export const NOISIEST = 3;

/** An incident, as far as noise needs it. */
export type NoisyIncident = Pick<
  AlertIncident,
  'id' | 'rule' | 'subject' | 'severity' | 'owner' | 'worst' | 'fired_at'
>;

/** The transitions of an evaluation. */
export interface EvaluationChanges {
  /** ms */
  readonly to: number;
  /** The incident is as after the change. */
  readonly changes: readonly { readonly change: AlertChange; readonly incident: NoisyIncident }[];
}

/** How often incidents of a rule fired, in a message or the digest, and what became of them. */
export interface RuleNoise {
  readonly rule: AlertRule;
  readonly fired: number;
  readonly acknowledged: number;
  readonly muted: number;
  readonly corrected: number;
  /** The median from firing to the message of the recovery, ms; null if none recovered. */
  readonly median_recovery: number | null;
}

/** A setting of a rule, and how often it would have fired with it. */
export interface Halving {
  readonly setting: 'limit' | 'for_minutes';
  readonly value: number;
  readonly fired: number;
}

/** @param halving of the three that fired most, where a setting can halve them */
export interface NoiseNote extends RuleNoise {
  readonly halving: Halving | null;
}

/** The noise of each rule in the last `NOISE_DAYS`: a rule that fires often and is muted often needs another limit. @param now ms */
export function noiseOf(evaluations: readonly EvaluationChanges[], now: number): RuleNoise[] {
  const changes = recent(evaluations, now).flatMap(({ to, changes: each }) =>
    each.map((one) => ({ ...one, to })),
  );
  return ALERT_RULES.map((rule) => {
    const own = changes.filter(({ incident }) => incident.rule === rule);
    const count = (change: AlertChange) => own.filter((each) => each.change === change).length;
    const recoveries = own.flatMap(({ change, incident, to }) =>
      change === 'recovered' && incident.fired_at !== null ? [to - Date.parse(incident.fired_at)] : [],
    );
    return {
      rule,
      fired: count('fired'),
      acknowledged: count('acknowledged'),
      muted: count('muted'),
      corrected: count('corrected'),
      median_recovery: recoveries.length === 0 ? null : median(recoveries),
    };
  });
}

/**
 * The rules that fired, those that fired most first.
 * @param open the incidents of the newest evaluation @param now ms
 * @param counts which incidents count, such as those of a route
 */
export function noisiest(
  evaluations: readonly EvaluationChanges[],
  open: readonly NoisyIncident[],
  now: number,
  counts: (incident: NoisyIncident) => boolean = () => true,
): NoiseNote[] {
  const own = evaluations.map(({ to, changes }) => ({
    to,
    changes: changes.filter(({ incident }) => counts(incident)),
  }));
  const episodes = groupBy(episodesOf(recent(own, now), open, now), ({ rule }) => rule);
  return noiseOf(own, now)
    .filter(({ fired }) => fired > 0)
    .sort((a, b) => b.fired - a.fired || ALERT_RULES.indexOf(a.rule) - ALERT_RULES.indexOf(b.rule))
    .map((noise, n) => ({
      ...noise,
      halving: n < NOISIEST ? halvingOf(noise.rule, episodes.get(noise.rule) ?? []) : null,
    }));
}

const recent = (evaluations: readonly EvaluationChanges[], now: number): EvaluationChanges[] =>
  evaluations.filter(({ to }) => to > now - NOISE_DAYS * MS_PER_DAY);

/** One incident that fired. */
interface Episode {
  readonly rule: AlertRule;
  /** The worst value that was measured, in the unit of the rule. */
  readonly worst: number | null;
  /** How long it violated the limit without interruption at most, ms. */
  readonly violatedMs: number;
}

function episodesOf(
  evaluations: readonly EvaluationChanges[],
  open: readonly NoisyIncident[],
  now: number,
): Episode[] {
  const all = evaluations.flatMap(({ to, changes }) => changes.map((each) => ({ ...each, to })));
  const newest = new Map(open.map((incident) => [incident.id, incident]));
  return [...groupBy(all, ({ incident }) => incident.id)].flatMap(([id, changes]): Episode[] => {
    const last = changes.at(-1);
    if (!last || !changes.some(({ change }) => change === 'fired')) return [];
    const { rule, worst } = newest.get(id) ?? last.incident;
    return [{ rule, worst, violatedMs: longestViolation(changes, newest.has(id), now) }];
  });
}

/** Begin and end of a stretch in which the limit was violated. */
const BEGINS: readonly AlertChange[] = ['pending', 'fired', 'inhibited', 'refired'];
const ENDS: readonly AlertChange[] = ['recovering', 'recovered', 'corrected', 'no_data', 'cleared'];

function longestViolation(
  changes: readonly { readonly change: AlertChange; readonly to: number }[],
  isOpen: boolean,
  now: number,
): number {
  let longest = 0;
  let since: number | null = null;
  for (const { change, to } of changes) {
    if (BEGINS.includes(change)) since ??= to;
    if (!ENDS.includes(change) || since === null) continue;
    longest = Math.max(longest, to - since);
    since = null;
  }
  return since !== null && isOpen ? Math.max(longest, now - since) : longest;
}

/** Values are percent; shares are compared as whole numbers. */
const PRECISION = 1e6;
const MAX_MINUTES = 10_080;

/** The smallest change of the rule with which at most half of the incidents would have fired; null if there is none. */
function halvingOf(rule: AlertRule, episodes: readonly Episode[]): Halving | null {
  const most = Math.floor(episodes.length / 2);
  const rate = RATE_RULES.find((each) => each === rule);
  if (most === 0) return null;
  const setting = rate ? 'limit' : 'for_minutes';
  // By the functions that judge.
  const fires = ({ worst, violatedMs }: Episode, value: number): boolean => {
    if (!rate) return lastsLongEnough(violatedMs, { for_minutes: value });
    if (worst === null) return true;
    return shareVerdict(rate, Math.round(worst * PRECISION), 100 * PRECISION, value, 0) === 'violated';
  };
  const candidates = episodes.flatMap(({ worst, violatedMs }) => {
    if (!rate) return [Math.floor(violatedMs / 60_000) + 1];
    if (worst === null) return [];
    return [rate === 'critical_runs' ? Math.ceil(worst) : Math.floor(worst)];
  });
  const ascending = candidates.sort((a, b) => a - b);
  for (const value of rate === 'pass_rate' ? ascending.reverse() : ascending) {
    const fired = episodes.filter((episode) => fires(episode, value)).length;
    if (fired <= most) return setting === 'limit' || value <= MAX_MINUTES ? { setting, value, fired } : null;
  }
  return null;
}

/** As it is served and sent. */
export const noiseJson = ({ median_recovery, ...rest }: NoiseNote) => ({
  ...rest,
  median_recovery_seconds: median_recovery === null ? null : Math.round(median_recovery / 1000),
});
