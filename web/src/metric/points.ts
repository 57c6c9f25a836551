/** Which point of a chart is meant. Times are in order, ms. */

/** The first index whose time is not before `at`. */
export function lowerBound(times: readonly number[], at: number): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? 0) < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Points further away than this from the pointer, sideways, are only meant if there is none nearer, px. */
const REACH = 14;

/**
 * The point nearest to the pointer.
 * @param placeOf the place of a point, px; null if it has no valid value
 * @param timeAt the time at a place, ms
 * @returns null if there are no points
 */
export function nearestPoint(
  times: readonly number[],
  pointer: { readonly x: number; readonly y: number },
  placeOf: (index: number) => { readonly x: number; readonly y: number | null },
  timeAt: (x: number) => number,
): number | null {
  if (times.length === 0) return null;
  const [from, to] = [pointer.x - REACH, pointer.x + REACH].map((x) => lowerBound(times, timeAt(x)));
  const near = indices(from ?? 0, to ?? 0);
  const next = lowerBound(times, timeAt(pointer.x));
  const candidates = near.length > 0 ? near : [next - 1, next].filter((i) => i >= 0 && i < times.length);
  let [best, least] = [candidates[0] ?? 0, Number.POSITIVE_INFINITY];
  for (const index of candidates) {
    const { x, y } = placeOf(index);
    const distance =
      near.length > 0 ? Math.hypot(x - pointer.x, (y ?? pointer.y) - pointer.y) : Math.abs(x - pointer.x);
    if (distance < least) [best, least] = [index, distance];
  }
  return best;
}

const indices = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

/** More than so many times the usual time between two points is a gap. Nine of ten times are not longer than usual. */
const GAP = 2.5;
const USUAL = 0.9;

/** The longest time between two points across which a line is drawn, ms. */
export function longestBridge(times: readonly number[]): number {
  const distances = times
    .slice(1)
    .map((time, i) => time - (times[i] ?? 0))
    .filter((distance) => distance > 0)
    .sort((a, b) => a - b);
  return GAP * (distances[Math.floor((distances.length - 1) * USUAL)] ?? Number.POSITIVE_INFINITY);
}

/** Stretches without points that are long enough to be named: `no runs`. @param shortest ms */
export function gapsOf(
  times: readonly number[],
  shortest: number,
): { readonly from: number; readonly to: number }[] {
  const bridge = Math.max(longestBridge(times), shortest);
  return times.slice(1).flatMap((to, i) => {
    const from = times[i] ?? to;
    return to - from > bridge ? [{ from, to }] : [];
  });
}

/** Values outside of what a chart library can compute with are scaled to this size, and labelled as they are. */
const [SMALLEST, LARGEST] = [1e-9, 1e15];

/** By what the values of a chart are divided. @param span their lowest and highest value */
export function divisorOf({ low, high }: { readonly low: number; readonly high: number }): number {
  const size = Math.max(Math.abs(low), Math.abs(high));
  if (size === 0 || (size >= SMALLEST && size <= LARGEST)) return 1;
  // 10^-324 is 0, and 10^308 must not overflow when it is multiplied again.
  return 10 ** Math.max(-307, Math.min(307, Math.floor(Math.log10(size))));
}
