import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BIGINT, DOUBLE, VARCHAR } from '@duckdb/node-api';
import fc from 'fast-check';
import { METRIC_STATUSES, type MetricStatus } from '../../../src/domain/model.js';
import { Duck, sql } from '../../../src/storage/duck.js';

let folder: string;
let duck: Duck;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'thinning-'));
  duck = await Duck.open(folder);
});
afterAll(async () => {
  duck.close();
  await rm(folder, { recursive: true, force: true });
});

interface Point {
  readonly time: number;
  readonly value: number | null;
  readonly status: MetricStatus;
}

/** The indices of the points that are shown. */
async function shown(points: readonly Point[], maxPoints: number): Promise<number[]> {
  const load = (name: string) => sql(import.meta.url, `../../../src/dashboard/read/sql/${name}.sql`);
  return duck.session(async (session) => {
    await session.createTable('points', {
      n: { type: BIGINT, values: points.map((_, i) => BigInt(i + 1)) },
      time: { type: DOUBLE, values: points.map(({ time }) => time) },
      value: { type: DOUBLE, values: points.map(({ value }) => value) },
      status: { type: VARCHAR, values: points.map(({ status }) => status) },
    });
    await session.run(load('series_shown'), { max_points: maxPoints });
    const rows = await session.rows<{ n: number }>(`SELECT n::INTEGER AS n FROM shown ORDER BY n`);
    const [counts] = await session.rows<{ left_out: number; not_healthy_left_out: number }>(
      load('series_counts'),
    );
    const kept = rows.map(({ n }) => n - 1);
    const missing = points.filter((point, i) => isNotHealthy(point) && !kept.includes(i));
    expect(counts).toEqual({
      left_out: points.length - kept.length,
      not_healthy_left_out: missing.length,
    });
    return kept;
  });
}

const isNotHealthy = ({ status }: Point) => ['critical', 'invalid', 'warning'].includes(status);

const point = fc.record({
  step: fc.integer({ min: 0, max: 50 }),
  value: fc.option(
    fc.oneof(fc.integer({ min: -5, max: 5 }), fc.double({ noNaN: true, noDefaultInfinity: true })),
  ),
  status: fc.oneof(
    { weight: 9, arbitrary: fc.constant('healthy' as const) },
    { weight: 1, arbitrary: fc.constantFrom(...METRIC_STATUSES) },
  ),
});
const seriesOf = (
  steps: readonly { step: number; value: number | null; status: MetricStatus }[],
): Point[] => {
  let time = 0;
  return steps.map(({ step, ...rest }) => {
    time += step;
    return { time, ...rest };
  });
};

describe('thinning a series', () => {
  it('keeps the ends, the extremes and everything that is not healthy, and at most twice the points asked for', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(point, { minLength: 101, maxLength: 300, size: 'max' }),
        fc.integer({ min: 20, max: 100 }),
        async (steps, maxPoints) => {
          const points = seriesOf(steps);
          const kept = await shown(points, maxPoints);
          const values = (indices: readonly number[]) => indices.flatMap((i) => points[i]?.value ?? []);
          const all = points.map((_, i) => i);
          expect([kept[0], kept.at(-1)]).toEqual([0, points.length - 1]);
          expect(Math.min(...values(kept))).toBe(Math.min(...values(all)));
          expect(Math.max(...values(kept))).toBe(Math.max(...values(all)));
          const notHealthy = all.filter((i) => isNotHealthy(points[i] as Point));
          if (notHealthy.length <= maxPoints) expect(kept).toEqual(expect.arrayContaining(notHealthy));
          expect(kept.length).toBeLessThanOrEqual(2 * maxPoints + 2);
        },
      ),
      { numRuns: 60, seed: 1 },
    );
  });

  it('keeps the extremes of each status if too many points are not healthy', async () => {
    const points = Array.from(
      { length: 1_000 },
      (_, i): Point => ({
        time: i * 1_000,
        value: i % 2 === 0 ? i : -i,
        status: i % 3 === 0 ? 'healthy' : 'critical',
      }),
    );
    const kept = await shown(points, 80);
    // 10 spans of 100 points, the smallest and the largest of each of two statuses.
    expect(kept).toHaveLength(10 * 2 * 2 + 1);
    expect(kept).toContain(0);
    expect(kept.filter((i) => points[i]?.status === 'critical')).toHaveLength(20);
  });

  it('keeps two of equal points at equal times', async () => {
    const points = Array.from({ length: 500 }, (): Point => ({ time: 7, value: 1, status: 'healthy' }));
    expect(await shown(points, 100)).toEqual([0, 499]);
  });
});
