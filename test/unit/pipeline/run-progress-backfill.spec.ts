import { RunProgress } from '../../../src/pipeline/run-progress.js';
import { stageName } from '../../../src/pipeline/stage-contracts.js';
import { planOf, sliceOf } from '../../support/stage-results.js';

const DAY = 86_400_000;
const slices = [0, 1, 2, 3].map((i) => sliceOf({ id: `c0-${i}`, from: i * DAY, to: (i + 1) * DAY }));
const plan = planOf({ to: 4 * DAY, slices });
const due = (done: readonly string[]) =>
  new RunProgress({ kind: 'backfill', plan, done, slicesAtOnce: 2 }).due().map(stageName);

describe('the due stages of a backfill', () => {
  it('belong to a limited number of slices, each from its first stage to its last', () => {
    expect(due([])).toEqual(['c0-0.fetch', 'c0-1.fetch']);
    expect(due(['c0-0.fetch', 'c0-1.fetch'])).toEqual(['c0-0.enrich', 'c0-1.enrich']);
    const first = ['c0-0.fetch', 'c0-0.enrich', 'c0-0.aggregate'];
    expect(due([...first, 'c0-1.fetch'])).toEqual(['c0-1.enrich', 'c0-2.fetch']);
  });

  it('select the days to rebuild after all slices', () => {
    const all = slices.flatMap(({ id }) => [`${id}.fetch`, `${id}.enrich`, `${id}.aggregate`]);
    expect(due(all.slice(0, -1))).toEqual(['c0-3.aggregate']);
    expect(due(all)).toEqual(['all.select-forecast']);
    all.push('all.select-forecast');
    expect(due(all)).toEqual(['all.select-rebuild']);
    expect(due([...all, 'all.select-rebuild'])).toEqual([]);
  });
});
