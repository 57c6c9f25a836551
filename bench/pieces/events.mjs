import { join } from 'node:path';
import { DIST, measured, ROOT } from '../lib/processes.mjs';
import { alternate, medians } from '../lib/statistics.mjs';

export const title = 'how long heavy work blocks the event loop';
/** A case may be chosen by its number, from 0. */
export const sizes = { cases: [[0, 1, 2, 3, 4, 5, 6], [2]] };

const PROGRAM = join(ROOT, 'bench/programs/event-loop.mjs');
const execute = async (...args) => {
  const { output } = await measured(process.execPath, [PROGRAM, ...args], { env: { DIST } });
  return JSON.parse(output.trim().split('\n').at(-1));
};

export async function run({ sizes, rounds, print }) {
  const names = await execute();
  const chosen = sizes.cases.map((number) => names[number]).filter(Boolean);
  const sides = Object.fromEntries(chosen.map((name) => [name, () => execute(name)]));
  const results = await alternate(sides, rounds, print);
  return {
    tables: [
      {
        columns: [
          'work',
          'time, s',
          'longest delay, ms',
          'longest CPU time of a turn, ms',
          'peak memory, MB',
        ],
        rows: Object.entries(results).map(([name, list]) => {
          const { seconds, delay, turn, memory } = medians(list);
          return [name, seconds, delay, turn, memory];
        }),
      },
    ],
    goals: [],
    notes: [
      'On a busy machine the delay contains the time of other programs; the CPU time of a turn does not.',
      'Each case runs in a process of its own, on catalogs of up to 100,000 rows.',
    ],
    raw: results,
  };
}
