import { SeededRandom } from '../../../src/demo/seeded-random.js';
import { imbalanceOf } from '../../../src/domain/ledger.js';
import { gone, NOON, run, SECOND, SliceStore, START } from './slice-store.js';

const SEEDS = Array.from({ length: 30 }, (_, seed) => seed + 1);
const DELTAS = 3;
const RUNS = 12;

/** Three slices of one day with late, repeated, torn, undated, unreadable and vanished runs. @returns what they do not account for */
async function imbalances(slices: SliceStore, seed: number): Promise<number[]> {
  const random = new SeededRandom('ledger', seed);
  const pick = (n: number) => Math.floor(random.next() * n);
  const record = (i: number) => {
    const info = { experiment_id: String(i % 3) };
    const name = `content ${pick(3)}`;
    const kind = pick(8);
    if (kind === 0) return run(`r${i}`, name, { ...info, start_time: 0, end_time: 0 });
    if (kind === 1) return run(`r${i}`, name, { ...info, status: 'BROKEN' });
    if (kind === 2) return run(`r${i}`, name, { ...info, lifecycle_stage: 'deleted' });
    if (kind === 3) return run(`r${i}`, name, { ...info, status: 'RUNNING', end_time: null });
    return run(`r${i}`, name, { ...info, start_time: START + i * SECOND });
  };
  const found: number[] = [];
  for (let delta = 0; delta < DELTAS; delta++) {
    // Clocks that are ahead or behind, and responses that overtake each other.
    const at = NOON + (delta * 20 - pick(60)) * SECOND;
    const pages = Array.from({ length: 1 + pick(3) }, (_, page) =>
      slices.page(at + page * SECOND, ...Array.from({ length: pick(RUNS) }, () => record(pick(RUNS)))),
    );
    const { ledger = [] } = await slices.enrich({ pages, gone: [gone(`r${pick(RUNS)}`, at)] });
    found.push(...ledger.map(imbalanceOf));
  }
  return found;
}

describe('the ledger of random days', () => {
  it.each(SEEDS)('is balanced (seed %i)', async (seed) => {
    const slices = await SliceStore.open();
    try {
      const found = await imbalances(slices, seed);
      expect(found.length).toBeGreaterThan(0);
      expect(found.filter((imbalance) => imbalance !== 0)).toEqual([]);
    } finally {
      await slices.close();
    }
  });
});
