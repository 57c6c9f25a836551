/**
 * Measures what the service costs, against the goals of docs/benchmarks.md.
 *
 *   npm run bench [-- <options> <piece> …]     all pieces without a name; `--help` lists them
 *
 *   --quick          small sizes and three rounds: shows that the benches work, its figures mean nothing
 *   --rounds N       rounds per piece, at least 5 (3 with --quick)
 *   --set NAME=N,…   sizes of a piece, such as `--set runs=12000` (can be repeated; docs/benchmarks.md lists them)
 *   --out FOLDER     where the results are stored: bench/results, or bench/results/quick with --quick
 *
 * A piece that fails does not stop the others; the exit code is 1 then. A missed goal is no failure.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { endAll, ROOT } from './lib/processes.mjs';
import { writeResults } from './lib/report.mjs';
import { number } from './lib/statistics.mjs';

const PIECES = ['historical', 'engine', 'clients', 'delta', 'start', 'workers', 'api', 'events', 'forecast'];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    set: { type: 'string', multiple: true, default: [] },
    out: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
const { quick } = values;
const least = quick ? 3 : 5;
const rounds = Math.max(least, Number(values.rounds ?? least));
const out = values.out ?? join(ROOT, 'bench/results', quick ? 'quick' : '');

const startedAt = Date.now();
const elapsed = () => `${((Date.now() - startedAt) / 1000).toFixed(0).padStart(5)} s`;

/** The sizes of a piece: the first or, with `--quick`, the second of each pair, unless `--set` replaces it. */
function sizesOf(defaults) {
  const sizes = Object.fromEntries(
    Object.entries(defaults).map(([name, pair]) => [name, pair[quick ? 1 : 0]]),
  );
  for (const assignment of values.set) {
    const [name, list = ''] = assignment.split('=');
    if (!(name in sizes)) continue;
    const numbers = list.split(',').map(Number);
    sizes[name] = Array.isArray(sizes[name]) ? numbers : numbers[0];
  }
  return sizes;
}

async function measure(name) {
  const { title, sizes: defaults, run } = await import(`./pieces/${name}.mjs`);
  const print = (text) => console.log(`${elapsed()}  ${name}: ${text}`);
  const sizes = sizesOf(defaults);
  const options = [
    `${rounds} rounds`,
    ...Object.entries(sizes).map(([key, value]) => `${key} ${[value].flat().map(number).join(', ')}`),
  ].join(', ');
  print(`${title} (${options})`);
  const result = await run({ sizes, rounds, quick, print });
  await writeResults(out, name, title, options, result);
  for (const { what, unit, measured, atMost, atLeast } of result.goals)
    print(
      `${what}: ${number(measured)} ${unit} (goal ${atMost === undefined ? `≥ ${atLeast}` : `≤ ${atMost}`})`,
    );
}

async function main() {
  if (values.help)
    return console.log(`Pieces: ${PIECES.join(', ')}. The header of bench/run.mjs describes the options.`);
  const chosen = positionals.length > 0 ? positionals : PIECES;
  const unknown = chosen.filter((name) => !PIECES.includes(name));
  if (unknown.length > 0)
    throw new Error(`Unknown pieces: ${unknown.join(', ')}. There are ${PIECES.join(', ')}.`);
  for (const name of chosen) {
    try {
      await measure(name);
    } catch (error) {
      console.error(`${elapsed()}  ${name} failed: ${error.stack ?? error}`);
      process.exitCode = 1;
    }
    await endAll();
  }
  console.log(`${elapsed()}  Results: ${join(out, 'results.md')}`);
}

for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => endAll().finally(() => process.exit(1)));
try {
  await main();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
