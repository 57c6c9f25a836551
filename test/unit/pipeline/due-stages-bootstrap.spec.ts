import { MS_PER_DAY } from '../../../src/domain/time.js';
import { dueStages, stageName } from '../../../src/pipeline/due-stages.js';
import { planOf, sliceOf } from '../../support/stage-results.js';

const DAYS = 12;
/** Newest day first, as a bootstrap is planned. */
const plan = planOf({
  to: DAYS * MS_PER_DAY,
  slices: Array.from({ length: DAYS }, (_, i) => DAYS - 1 - i).map((day) =>
    sliceOf({ id: `d${day}`, from: day * MS_PER_DAY }),
  ),
});

describe('a bootstrap', () => {
  it('has at most 4 slices in progress', () => {
    expect(dueStages('bootstrap', plan, new Set()).map(stageName)).toEqual(
      ['d11', 'd10', 'd9', 'd8'].map((slice) => `${slice}.fetch`),
    );
  });

  it('runs all stages of the newest day before it starts older ones', () => {
    const done = new Set<string>();
    const order: string[] = [];
    // Runs one stage at a time, the last possible stage first, as idle queues would.
    for (
      let due = dueStages('bootstrap', plan, done);
      due.length > 0;
      due = dueStages('bootstrap', plan, done)
    ) {
      const stages = ['publish', 'aggregate', 'enrich', 'fetch'];
      const [next] = due.sort((a, b) => stages.indexOf(a.stage) - stages.indexOf(b.stage));
      if (!next) break;
      done.add(stageName(next));
      order.push(stageName(next));
    }
    expect(order).toHaveLength(3 * DAYS + 1);
    expect(order.at(-1)).toBe('all.publish');
    expect(order.slice(0, 3)).toEqual(['d11.fetch', 'd11.enrich', 'd11.aggregate']);
  });
});
