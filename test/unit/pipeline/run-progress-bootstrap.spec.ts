import { MS_PER_DAY } from '../../../src/domain/time.js';
import { RunProgress } from '../../../src/pipeline/run-progress.js';
import { stageName } from '../../../src/pipeline/stage-contracts.js';
import { planOf, sliceOf } from '../../support/stage-results.js';

const DAYS = 12;
/** Newest day first, as a bootstrap is planned. */
const plan = planOf({
  to: DAYS * MS_PER_DAY,
  slices: Array.from({ length: DAYS }, (_, i) => DAYS - 1 - i).map((day) =>
    sliceOf({ id: `d${day}`, from: day * MS_PER_DAY }),
  ),
});

const progressOf = (done: Iterable<string> = []) => new RunProgress({ kind: 'bootstrap', plan, done });

describe('a bootstrap', () => {
  it('has at most 4 slices in progress', () => {
    expect(progressOf().due().map(stageName)).toEqual(
      ['d11', 'd10', 'd9', 'd8'].map((slice) => `${slice}.fetch`),
    );
  });

  it('runs all stages of the newest day before it starts older ones', () => {
    const done = new Set<string>();
    const order: string[] = [];
    // Runs one stage at a time, the last possible stage first, as idle queues would.
    for (let due = progressOf(done).due(); due.length > 0; due = progressOf(done).due()) {
      const stages = ['select-rebuild', 'select-forecast', 'aggregate', 'enrich', 'fetch'];
      const [next] = due.sort((a, b) => stages.indexOf(a.stage) - stages.indexOf(b.stage));
      if (!next) break;
      done.add(stageName(next));
      order.push(stageName(next));
    }
    expect(order).toHaveLength(3 * DAYS + 2);
    expect(order.slice(-2)).toEqual(['all.select-forecast', 'all.select-rebuild']);
    expect(order.slice(0, 3)).toEqual(['d11.fetch', 'd11.enrich', 'd11.aggregate']);
  });
});
