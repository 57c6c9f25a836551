import { mergeEqual } from './scale.js';

/** Cells of equal length in sequence; null: no run in this time. */
type Cells<T> = readonly (T | null)[];

/** A stretch of cells with the same status; half-open indices. */
export interface Stretch<T> {
  readonly value: T;
  readonly from: number;
  readonly to: number;
}

/** More than so many times the usual distance between two runs is a gap. Nine of ten distances are not longer than usual. */
const GAP = 2;
const USUAL = 0.9;
/** Runs at irregular times leave a few cells empty now and then. */
const SHORTEST_GAP = 4;

/** The largest distance between two filled cells, in cells, that is not a gap: nightly jobs fill few cells of many. */
export function gapLimit(cells: Cells<unknown>): number {
  const filled = cells.flatMap((cell, i) => (cell === null ? [] : [i]));
  const distances = filled.slice(1).map((cell, i) => cell - (filled[i] ?? 0));
  distances.sort((a, b) => a - b);
  return Math.max(SHORTEST_GAP, GAP * (distances[Math.floor((distances.length - 1) * USUAL)] ?? 1));
}

/** Equal neighbours merged. A status lasts until the next run, but not across a gap. */
export function stretches<T>(cells: Cells<T>): Stretch<T>[] {
  const limit = gapLimit(cells);
  const lasting: (T | null)[] = [...cells];
  let last = -1;
  for (let i = 0; i <= cells.length; i++) {
    const isEnd = i === cells.length;
    if (!isEnd && cells[i] === null) continue;
    if (last >= 0 && i - last <= limit) lasting.fill(cells[last] ?? null, last, i);
    if (!isEnd) last = i;
  }
  return mergeEqual(lasting).flatMap(({ value, from, to }) => (value === null ? [] : [{ value, from, to }]));
}

/** The parts of a line without its gaps: indices of filled cells. */
export function lineParts(values: Cells<number>): number[][] {
  const limit = gapLimit(values);
  const parts: number[][] = [];
  let last = Number.NEGATIVE_INFINITY;
  values.forEach((value, i) => {
    if (value === null) return;
    if (i - last > limit) parts.push([]);
    parts.at(-1)?.push(i);
    last = i;
  });
  return parts;
}
