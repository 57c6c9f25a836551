/**
 * Fills a real MLflow server with special cases, lets the built service read it, and recomputes every dataset from MLflow's
 * SQLite file with a program that shares no code with the service. Then repeats this with faults in the service: each must
 * be found.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { EVALUATION_MUTANTS, LOOKBACK_MUTANT, mutate } from './mutants.mjs';
import { startMlflow } from './server.mjs';

const HERE = import.meta.dirname;
const ROOT = resolve(HERE, '../..');
const DAY = 86_400_000;
const AT_LEAST = 50_000;
/** The bootstrap runs with a clock three hours slow, so that the next run has an outage to catch up on. */
const BEHIND = 3 * 3_600_000;
const SLOW_CLOCK = `data:text/javascript,${encodeURIComponent(`const now = Date.now; Date.now = () => now() - ${BEHIND};`)}`;
/** If a run is read twice within this time, its change may be found only by a third: `DATE_LAG_MS` in src/domain/merge-precedence.ts. */
const DATE_LAG_MS = 15_000;
/** A few days of a few experiments suffice to find a fault in the evaluation. */
const SMALL = {
  EXPERIMENT_INCLUDE: 'exp rules,exp override,exp edge,exp nested*',
  COUNT_NESTED_RUNS: 'nested app_?,exp ne*pattern,exp over?ide',
  LOOKBACK_DAYS_HISTORICAL: '7',
};

const startedAt = Date.now();
const folder = await mkdtemp(join(tmpdir(), 'independent-'));
const running = new Set();
let lastReadAt = 0;
let server;

/** Runs a program. @returns its exit code and output */
function run(command, args, env = {}) {
  return new Promise((done, fail) => {
    const child = spawn(command, args, {
      env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(child);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
    child.once('error', fail);
    child.once('close', (code) => {
      running.delete(child);
      done({ code, output });
    });
  });
}

async function mustRun(command, args, env) {
  const { code, output } = await run(command, args, env);
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} exited with ${code}:\n${output}`);
  return output;
}

const print = (text) => console.log(`${((Date.now() - startedAt) / 1000).toFixed(0).padStart(4)} s  ${text}`);
const dayOf = (ms) => new Date(ms).toISOString().slice(0, 10);
const out = (name) => join(folder, name);

/** Executes a pipeline run on a store, and prints its last line. */
async function runService(
  kind,
  store,
  { dist = join(ROOT, 'dist'), catalog = 'catalog.json', node = [], env = {} } = {},
) {
  const file = `file:${out(catalog)}`;
  if (kind !== 'bootstrap') await wait(Math.max(0, lastReadAt + DATE_LAG_MS - Date.now()));
  const output = await mustRun(process.execPath, [...node, join(dist, 'main.js'), 'run', kind], {
    MLFLOW_TRACKING_URI: server.uri,
    METRICS_API_URL: file,
    THRESHOLDS_API_URL: file,
    STORAGE_DIR: out(store),
    BATCH_SIZE: '50',
    ...env,
  });
  lastReadAt = Date.now();
  print(`${store}: ${output.trim().split('\n').at(-1)}`);
}

/** Checks all stored days with the command `quality`. @returns the option with its JSON */
async function checkQuality(store, fromDay) {
  const args = [
    join(ROOT, 'dist/main.js'),
    'quality',
    '--from',
    fromDay,
    '--to',
    dayOf(Date.now()),
    '--json',
  ];
  const env = { MLFLOW_TRACKING_URI: server.uri, STORAGE_DIR: out(store) };
  const { code, output } = await run(process.execPath, args, env);
  // The hard cases include NaN.
  if (code !== 1) throw new Error(`quality exited with ${code}:\n${output}`);
  await writeFile(out(`${store}.quality.json`), output);
  return ['--quality', out(`${store}.quality.json`)];
}

/** Compares a store with the database. @returns the exit code and output */
function compare(python, store, kind, fromDay, options = []) {
  const args = ['--database', server.database, '--catalog', out('catalog.json'), '--store', out(store)];
  const memory = ['--memory', out(`${store}.memory.json`)];
  return run(python, [
    join(HERE, 'recompute.py'),
    ...args,
    ...memory,
    '--run',
    `${kind}-1`,
    '--from-day',
    fromDay,
    ...options,
  ]);
}

async function mustEqual(...args) {
  const { code, output } = await compare(...args);
  process.stdout.write(output);
  if (code !== 0) throw new Error('The service and the recomputation differ');
}

async function mustDiffer(mutant, ...args) {
  const { code, output } = await compare(...args);
  if (code === 1 && mutant.shows.test(output)) return print(`found: ${mutant.name}`);
  throw new Error(`The mutant "${mutant.name}" was not found (exit ${code}):\n${output}`);
}

/** The day from which the change of the catalog applies: the service has stored it, and it must follow the rule. */
async function changedFrom(before) {
  const book = JSON.parse(await readFile(out('store/_state/rulebook.json'), 'utf8'));
  const [day, ...others] = new Set(
    book.entries.map(({ first_day }) => first_day).filter((first) => first !== null),
  );
  const expected = [before, Date.now()].map((ms) => dayOf(ms - 7 * DAY));
  if (others.length > 0 || !expected.includes(day))
    throw new Error(`The changed catalog applies from ${[day, ...others]}, expected ${expected}`);
  return day;
}

/** The pipeline runs of a service over some days, with a comparison after each. */
async function serviceOverDays(python, change) {
  const firstDay = dayOf(Date.now() - BEHIND - 30 * DAY);
  await runService('bootstrap', 'store', { node: ['--import', SLOW_CLOCK] });
  const found = await checkQuality('store', firstDay);
  await mustEqual(python, 'store', 'bootstrap', firstDay, ['--at-least', String(AT_LEAST), ...found]);

  await change('delta');
  for (const name of ['', '.memory.json'])
    await cp(out(`store${name}`), out(`late${name}`), { recursive: true });
  const faulty = { dist: await mutate(ROOT, out('late-product'), LOOKBACK_MUTANT) };
  await Promise.all([runService('delta', 'store'), runService('delta', 'late', faulty)]);
  await mustEqual(python, 'store', 'delta', firstDay);
  await mustDiffer(LOOKBACK_MUTANT, python, 'late', 'delta', firstDay);

  await change('backup');
  await runService('backup', 'store');
  await mustEqual(python, 'store', 'backup', firstDay);

  await change('historical');
  const before = Date.now();
  await runService('historical', 'store', { catalog: 'catalog-later.json' });
  const changed = ['--changed', out('catalog-later.json'), '--changed-from', await changedFrom(before)];
  await mustEqual(python, 'store', 'historical', firstDay, changed);
}

/** A bootstrap without faults, one whose days have several parts, and one with each fault in the evaluation. */
async function evaluationMutants(python) {
  const firstDay = dayOf(Date.now() - 7 * DAY);
  const patterns = ['--include', SMALL.EXPERIMENT_INCLUDE, '--nested', SMALL.COUNT_NESTED_RUNS];
  await runService('bootstrap', 'small', { env: SMALL });
  await mustEqual(python, 'small', 'bootstrap', firstDay, patterns);
  await runService('bootstrap', 'divided', { env: { ...SMALL, PARTITION_FILES: '4' } });
  await mustEqual(python, 'divided', 'bootstrap', firstDay, [...patterns, '--parts', '4']);
  for (const [number, mutant] of EVALUATION_MUTANTS.entries()) {
    const store = `small-${number}`;
    const dist = await mutate(ROOT, out(`${store}-product`), mutant);
    await runService('bootstrap', store, { dist, env: SMALL });
    await mustDiffer(mutant, python, store, 'bootstrap', firstDay, patterns);
  }
}

async function main() {
  const mlflow = (await mustRun('sh', [join(HERE, 'venv.sh')])).trim().split('\n').at(-1);
  const python = join(dirname(mlflow), 'python');
  print('the virtual environment is ready');
  server = await startMlflow(mlflow, folder);
  await server.ready;
  print(`MLflow is running at ${server.uri}`);
  const where = ['--uri', server.uri, '--database', server.database];
  print((await mustRun(python, [join(HERE, 'seed.py'), ...where, '--out', folder])).trim());
  const changeArgs = [join(HERE, 'change.py'), ...where, '--seeded', out('seeded.json')];
  await Promise.all([
    serviceOverDays(python, (kind) => mustRun(python, [...changeArgs, kind])),
    evaluationMutants(python),
  ]);
  console.log(`mutants: ${EVALUATION_MUTANTS.length + 1} of ${EVALUATION_MUTANTS.length + 1} found`);
}

async function cleanUp() {
  const closed = [...running].map((child) => once(child, 'close'));
  for (const child of running) child.kill('SIGTERM');
  await Promise.all([...closed, server?.stop()]);
  await rm(folder, { recursive: true, force: true });
}
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => cleanUp().finally(() => process.exit(1)));
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  await cleanUp();
}
