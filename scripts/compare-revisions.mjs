/**
 * Shows that a refactoring changes no behaviour: builds two revisions, runs both with the same inputs and the same frozen
 * clock, and compares every stored object, every REST response and the commands.
 *
 *   node scripts/compare-revisions.mjs <old revision> [<new revision>]
 *   node scripts/compare-revisions.mjs --old-dist DIR --new-dist DIR
 *
 * The default of the new revision is the working tree, which is built as well. The inputs are two companies of the demo and
 * the hard cases of test/independent on a real MLflow server (the first run creates its virtual environment from PyPI).
 * Parquet is compared byte for byte; JSON documents, REST responses and metrics field for field, without random tokens,
 * durations and metrics of the process. Texts for people (logs, help, `detail`, `message`, descriptions) may differ and
 * are listed separately. It takes about 7 minutes on 2 cores.
 *
 *   --strict  fails if sentences differ
 *   --quick   one company only, without MLflow
 *   --keep    keeps the stores and prints their folder
 *
 * Exit code: 0 no difference, 1 differences, 2 the comparison failed.
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
const given = (dist) => ({ dist: resolve(dist), name: dist });

async function buildBoth() {
  const [old, young] = positionals;
  if (values['old-dist'] === undefined && old === undefined) {
    throw new Error(
      'Usage: compare-revisions.mjs <old revision> [<new revision>]; the header of the file describes the options',
    );
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

let cleaned;
/** Also called by a signal, while the comparison goes on. */
function cleanUp() {
  cleaned ??= removeAll();
  return cleaned;
}

async function removeAll() {
  await endAll();
  if (values.keep) console.log(`The stores are in ${folder}`);
  else await rm(folder, { recursive: true, force: true, maxRetries: 3 });
}
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => cleanUp().finally(() => process.exit(2)));
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
