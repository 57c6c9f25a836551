import { compareText } from './text.js';

/** The limits that the level of a series is likely to cross, as its newest forecast says. Times in ms, null without a breach. */
export interface LikelyBreach {
  readonly application: string;
  readonly metric_name: string;
  /** The time of the last point. */
  readonly fitted_at: number;
  readonly warning_earliest: number | null;
  readonly warning_expected: number | null;
  readonly critical_earliest: number | null;
  readonly critical_expected: number | null;
}

/** The limit that a series is likely to cross next. */
export interface NextBreach {
  readonly status: 'warning' | 'critical';
  /** ms: the probability is 10 % then … */
  readonly earliest: number;
  /** … and 50 % then. */
  readonly expected: number;
}

/**
 * The breach that is expected first after `now` (ms); undefined if there is none. One whose expected time has passed
 * without a run that shows it is not known to have happened, and is no longer announced.
 */
export function nextBreach(series: LikelyBreach, now: number): NextBreach | undefined {
  const of = (status: NextBreach['status']) => {
    const [earliest, expected] = [series[`${status}_earliest`], series[`${status}_expected`]];
    return earliest !== null && expected !== null && expected > now ? [{ status, earliest, expected }] : [];
  };
  return [...of('warning'), ...of('critical')].sort((a, b) => a.expected - b.expected)[0];
}

/** Of each application the series whose next breach is expected first; the first of these comes first. */
export function soonestBreaches<S extends LikelyBreach>(
  all: readonly S[],
  now: number,
): { readonly series: S; readonly next: NextBreach }[] {
  const inOrder = all
    .flatMap((series) => {
      const next = nextBreach(series, now);
      return next ? [{ series, next }] : [];
    })
    .sort(
      (a, b) =>
        a.next.expected - b.next.expected ||
        compareText(a.series.application, b.series.application) ||
        compareText(a.series.metric_name, b.series.metric_name),
    );
  const seen = new Set<string>();
  return inOrder.filter(({ series: { application } }) => !seen.has(application) && seen.add(application));
}
