import { groupBy } from '../group-by.js';
import { median } from '../run-frequency.js';
import { MS_PER_DAY } from '../time.js';
import { ALERT_RULES, type AlertRule, type AlertTransition } from './incident.js';
import { newsOf } from './plan-messages.js';

/** Alerts that fired: by a message of their own, or only in the digest. */
interface Fired {
  readonly messages: number;
  readonly digest: number;
}

export interface WeekSummary extends Fired {
  /** The start of the seven days, ms. */
  readonly from: number;
}

export interface RuleSummary extends Fired {
  readonly rule: AlertRule;
  /** Of those that recovered, from firing to the message of the recovery, ms; null if none did. */
  readonly median_recovery: number | null;
  /** Of all messages about something that fires, percent; null if there is none. */
  readonly share: number | null;
}

export interface ReplaySummary {
  /** Weeks of seven days from the first evaluation on, oldest first. */
  readonly weeks: readonly WeekSummary[];
  /** Rules that fired, those with most messages first. */
  readonly rules: readonly RuleSummary[];
}

const WEEK_MS = 7 * MS_PER_DAY;

/** How many alerts people would have got. @param from the first evaluation, ms @param to the last one, ms */
export function summarizeReplay(
  transitions: readonly AlertTransition[],
  from: number,
  to: number,
): ReplaySummary {
  const told = transitions.filter((each) => newsOf(each).length > 0);
  const fired = told.filter(({ change }) => change === 'fired');
  const count = Math.max(1, Math.ceil((to - from) / WEEK_MS));
  const weekOf = (at: string) => Math.min(count - 1, Math.floor((Date.parse(at) - from) / WEEK_MS));
  const byWeek = groupBy(fired, ({ at }) => weekOf(at));
  const all = countFired(fired).messages;
  const rules = ALERT_RULES.flatMap((rule): RuleSummary[] => {
    const own = countFired(fired.filter(({ incident }) => incident.rule === rule));
    if (own.messages + own.digest === 0) return [];
    const recoveries = told
      .filter(({ change, incident }) => change === 'recovered' && incident.rule === rule)
      .map(({ at, incident }) => Date.parse(at) - Date.parse(incident.fired_at ?? at));
    return [
      {
        rule,
        ...own,
        median_recovery: recoveries.length === 0 ? null : median(recoveries),
        share: all === 0 ? null : (100 * own.messages) / all,
      },
    ];
  });
  return {
    weeks: Array.from({ length: count }, (_, i) => ({
      from: from + i * WEEK_MS,
      ...countFired(byWeek.get(i) ?? []),
    })),
    rules: rules.sort((a, b) => b.messages - a.messages || b.digest - a.digest),
  };
}

function countFired(fired: readonly AlertTransition[]): Fired {
  const digest = fired.filter(({ digest_only }) => digest_only).length;
  return { messages: fired.length - digest, digest };
}
