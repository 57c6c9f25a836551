import { changedRuns } from '../../../src/aggregation/aggregation.processor.js';
import { dayStart } from '../../../src/domain/time.js';
import type { StageContext } from '../../../src/pipeline/stage-context.js';
import { planOf, sliceOf } from '../../support/stage-results.js';

const DAY = '2026-03-10';
const plan = planOf({ slices: [sliceOf({ id: 'd-20260310', from: dayStart(DAY) })] });

/** How many runs are counted, given the counts that are stored by stage, and by slice or unit. */
async function counted(results: Partial<Record<'enrich' | 'judge', Record<string, number>>>) {
  const stored = async (stage: 'enrich' | 'judge') =>
    new Map(
      Object.entries(results[stage] ?? {}).map(([id, runs]) => [
        id,
        { changed: [{ metric_name: 'a', experiment_id: null, changed_at: 1, runs }] },
      ]),
    );
  const changed = await changedRuns({ plan, stored: stored as unknown as StageContext['stored'] });
  return changed.reduce((sum, { runs }) => sum + runs, 0);
}

describe('the runs that a threshold change has changed', () => {
  it('are those of all days and parts', async () => {
    expect(await counted({ judge: { 'day-20260310': 1, 'day-20260309-0': 2, 'day-20260309-1': 4 } })).toBe(7);
  });

  it.each([
    ['in `enrich` and `judge`', { enrich: { 'd-20260310': 3 }, judge: { 'day-20260310': 3 } }],
    ['whole and in parts', { judge: { 'day-20260310': 3, 'day-20260310-0': 2, 'day-20260310-1': 1 } }],
    ['in `enrich` and in parts', { enrich: { 'd-20260310': 3 }, judge: { 'day-20260310-0': 2 } }],
  ])('of a day that two versions have counted, %s, count once', async (_, results) => {
    expect(await counted(results)).toBe(3);
  });
});
