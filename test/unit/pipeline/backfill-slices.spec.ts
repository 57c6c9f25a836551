import { dueStages, stageName } from '../../../src/pipeline/due-stages.js';
import type { Plan } from '../../../src/pipeline/stage-contracts.js';

const DAY = 86_400_000;
const slices = [0, 1, 2, 3].map((i) => ({
  id: `c0-${i}`,
  chunk: 0,
  from: i * DAY,
  to: (i + 1) * DAY,
  open_end: false,
  last: i === 3,
}));
const plan: Plan = { from: 0, to: 4 * DAY, chunks: [], slices, open: [], page_size: 10 };
const due = (done: readonly string[]) => dueStages('backfill', plan, new Set(done), 2).map(stageName);

describe('a backfill', () => {
  it('has at most so many slices in the queues, from their first stage to their last', () => {
    expect(due([])).toEqual(['c0-0.fetch', 'c0-1.fetch']);
    expect(due(['c0-0.fetch', 'c0-1.fetch'])).toEqual(['c0-0.enrich', 'c0-1.enrich']);
    const first = ['c0-0.fetch', 'c0-0.enrich', 'c0-0.aggregate'];
    expect(due([...first, 'c0-1.fetch'])).toEqual(['c0-1.enrich', 'c0-2.fetch']);
  });

  it('publishes once after the last', () => {
    const all = slices.flatMap(({ id }) => [`${id}.fetch`, `${id}.enrich`, `${id}.aggregate`]);
    expect(due(all.slice(0, -1))).toEqual(['c0-3.aggregate']);
    expect(due(all)).toEqual(['all.publish']);
    expect(due([...all, 'all.publish'])).toEqual([]);
  });
});
