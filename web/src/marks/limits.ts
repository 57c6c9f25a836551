import type { LimitStep } from '../../../src/dashboard/contract/limits.js';

/** Limits that applied from one time to another, ms; half-open. */
export interface LimitSegment {
  readonly from: number;
  readonly to: number;
  readonly critical: number | null;
  readonly warning: number | null;
}

/**
 * The limits as they applied over a span, in sequence. Runs of some experiments may have limits of their own: a picture
 * shows those that judged the newest run.
 * @param from ms
 * @param to ms
 */
export function limitSegments(steps: readonly LimitStep[], from: number, to: number): LimitSegment[] {
  const newest = steps.reduce<LimitStep | undefined>(
    (last, step) => (last === undefined || Date.parse(step.from) >= Date.parse(last.from) ? step : last),
    undefined,
  );
  const own = steps
    .filter(({ experiment_id }) => experiment_id === newest?.experiment_id)
    .sort((a, b) => Date.parse(a.from) - Date.parse(b.from));
  return own
    .map((step, i) => ({
      // Before the first run, nothing was judged; the first limits are drawn from the edge.
      from: i === 0 ? from : Date.parse(step.from),
      to: i === own.length - 1 ? to : Date.parse(own[i + 1]?.from ?? ''),
      critical: step.critical_threshold,
      warning: step.warning_threshold,
    }))
    .map((segment) => ({ ...segment, from: Math.max(segment.from, from), to: Math.min(segment.to, to) }))
    .filter((segment) => segment.from < segment.to);
}

/** Whether some runs were judged by other limits than those of the picture. */
export const hasOtherLimits = (steps: readonly LimitStep[]): boolean =>
  new Set(steps.map(({ experiment_id }) => experiment_id)).size > 1;

/** The part of a picture beyond a limit, between two values. */
export interface Zone {
  readonly status: 'critical' | 'warning';
  readonly low: number;
  readonly high: number;
}

/** The zones of one segment: beyond the critical limit, and from the warning limit to it. */
export function zonesOf(
  { critical, warning }: Pick<LimitSegment, 'critical' | 'warning'>,
  higherIsBetter: boolean,
): Zone[] {
  const [worst, best] = higherIsBetter
    ? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
    : [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const zone = (status: Zone['status'], a: number, b: number): Zone => ({
    status,
    low: Math.min(a, b),
    high: Math.max(a, b),
  });
  const zones: Zone[] = [];
  if (critical !== null) zones.push(zone('critical', critical, worst));
  // Limits in the wrong order: critical is judged first, and nothing is left for a warning.
  const beyond = critical ?? worst;
  const isLeft =
    warning !== null && (higherIsBetter ? warning > beyond : warning < beyond) && warning !== best;
  if (warning !== null && isLeft) zones.push(zone('warning', warning, beyond));
  return zones;
}
