/** A model of mean and trend as docs/data.md defines them, in BigInt and without any sliding. */
import { MS_PER_DAY, MS_PER_HOUR } from '../../../src/domain/time.js';
import { exactSum, nearest, unitsOf } from './exact-sum.js';

/** Valid values with times in whole ms, ascending. */
type Valid = readonly (readonly [time: number, value: number])[];

export function meanOf(points: Valid): number | null {
  const total = exactSum(points.map(([, value]) => value));
  return points.length === 0 || total === null ? null : total / points.length;
}

export function trendOf(points: Valid): number | null {
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last || points.length < 3 || last[0] - first[0] < MS_PER_HOUR) return null;
  const n = BigInt(points.length);
  let [t, tt, v, tv] = [0n, 0n, 0n, 0n];
  for (const [time, value] of points) {
    t += BigInt(time);
    tt += BigInt(time) ** 2n;
    v += unitsOf(value);
    tv += BigInt(time) * unitsOf(value);
  }
  const numerator = nearest(n * tv - t * v);
  if (numerator === null) return null;
  const slope = (numerator / Number(n * tt - t * t)) * MS_PER_DAY;
  return Number.isFinite(slope) ? slope : null;
}
