/**
 * Proves that a refactoring changed no behaviour: builds two revisions, runs both on the same inputs by the same stopped
 * clock, and compares every stored object and every REST answer.
 *
 *   node scripts/compare-revisions.mjs <old revision> [<new revision>]
 *   node scripts/compare-revisions.mjs --old-dist DIR --new-dist DIR
 *
 * Without a new revision it is the working tree, which is built, too. The inputs are two companies of the demo, and the
 * hard cases of test/independent on a real MLflow (the first time it makes a virtual environment, which needs PyPI).
 * Parquet is compared byte for byte; JSON documents, REST answers and metrics field for field, without random names,
 * durations and what is of the process. Texts for people (logs, help, `detail`, `message`, descriptions) may differ: they
 * are listed apart.
 *
 *   --strict  sentences that differ fail the comparison, too
 *   --quick   one company only, without MLflow
 *   --keep    keeps the stores, and prints where they are
 *
 * Exit code: 0 nothing differs, 1 something does, 2 it could not be compared.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { buildRevision } from './compare-revisions/builds.mjs';
import { compareDemoCompany } from './compare-revisions/demo-company.mjs';
import { compareHardCases } from './compare-revisions/hard-cases.mjs';
import { endAll } from './compare-revisions/processes.mjs';
import { Report } from './compare-revisions/report.mjs';

const ROOT = resolve(import.meta.dirname, '..');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'old-dist': { type: 'string' },
    'new-dist': { type: 'string' },
    quick: { type: 'boolean', default: false },
    strict: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
});

const SEEDS = values.quick ? [1] : [1, 2];
const given = (dist) => ({ dist: resolve(dist), name: dist, remove: async () => {} });

async function buildBoth() {
  const [old, young] = positionals;
  if (values['old-dist'] === undefined && old === undefined) {
    throw new Error('It takes a revision, or --old-dist and --new-dist; the header of this file says more');
  }
  const before =
    values['old-dist'] === undefined ? await buildRevision(ROOT, old) : given(values['old-dist']);
  builds.push(before);
  builds.push(
    values['new-dist'] === undefined ? await buildRevision(ROOT, young) : given(values['new-dist']),
  );
}

const builds = [];
const folder = await mkdtemp(join(tmpdir(), 'compare-'));

async function cleanUp() {
  await endAll();
  for (const { remove } of builds) await remove();
  if (values.keep) console.log(`The stores are in ${folder}`);
  else await rm(folder, { recursive: true, force: true });
}
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => cleanUp().finally(() => process.exit(2)));
}

try {
  await buildBoth();
  const [before, after] = builds;
  console.log(`Comparing ${before.name} with ${after.name}`);
  const dists = { old: before.dist, new: after.dist };
  const report = new Report();
  for (const seed of SEEDS) await compareDemoCompany(report, join(folder, `seed-${seed}`), dists, seed);
  if (!values.quick) await compareHardCases(report, join(folder, 'mlflow'), dists);
  process.exitCode = report.print(values.strict) > 0 ? 1 : 0;
} catch (error) {
  console.error(error);
  process.exitCode = 2;
} finally {
  await cleanUp();
}
