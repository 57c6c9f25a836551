import { nextBreach } from '../domain/likely-breach.js';
import type { Likely } from './contract.js';
import { type IncidentContext, ownerOf } from './describe-incidents.js';
import { sparkline } from './incident.js';
import type { LikelySeries } from './load-likely.js';

const iso = (ms: number): string => new Date(ms).toISOString();

/**
 * The list *likely soon*.
 * @param now ms
 */
export function describeLikely(
  likely: readonly LikelySeries[],
  context: IncidentContext,
  now: number,
): Likely[] {
  return likely.flatMap((series): Likely[] => {
    const next = nextBreach(series, now);
    const last = series.runs.findLast(({ value, time }) => value !== null && time <= series.fitted_at);
    if (!next || !last || last.value === null) return [];
    return [
      {
        application: series.application,
        owner: ownerOf(last, context),
        next: next.status,
        earliest: iso(next.earliest),
        expected: iso(next.expected),
        metric: {
          name: series.metric_name,
          display_name: last.display_name,
          unit: last.unit,
          higher_is_better: last.higher_is_better,
          status: last.status,
          value: last.value,
          critical_threshold: last.critical_threshold,
          warning_threshold: last.warning_threshold,
          points: sparkline(series.runs, last, context.current.to).map(({ time, value }) => ({
            at: iso(time),
            value,
          })),
        },
        run: context.link(last),
      },
    ];
  });
}
