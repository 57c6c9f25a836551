/**
 * A real MLflow server, filled with all that is awkward; the built service reads it; a program that knows nothing of the
 * service recomputes every dataset from MLflow's SQLite file. Then the same with faults in the service: each must be found.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { JUDGING, LOOKING_BACK, mutate } from './mutants.mjs';
import { startMlflow } from './server.mjs';

const HERE = import.meta.dirname;
const ROOT = resolve(HERE, '../..');
const DAY = 86_400_000;
const AT_LEAST = 50_000;
/** The first look is by a clock three hours behind, so that the next one has an outage to make up for. */
const BEHIND = 3 * 3_600_000;
const SLOW_CLOCK = `data:text/javascript,${encodeURIComponent(`const now = Date.now; Date.now = () => now() - ${BEHIND};`)}`;
/** Two looks at a run within this time may leave its change to a third: DATE_LAG_MS of src/domain/base-rule.ts. */
const DATE_LAG_MS = 15_000;
/** What is enough to find a fault in judging: few days of few experiments. */
const SMALL = {
  EXPERIMENT_INCLUDE: 'exp rules,exp override,exp edge',
  LOOKBACK_DAYS_HISTORICAL: '7',
};

const begun = Date.now();
const folder = await mkdtemp(join(tmpdir(), 'independent-'));
const running = new Set();
let looked = 0;
let server;

/** Runs a program to its end. @returns its exit code and all that it said */
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
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${output}`);
  return output;
}

const say = (text) => console.log(`${((Date.now() - begun) / 1000).toFixed(0).padStart(4)} s  ${text}`);
const dayOf = (ms) => new Date(ms).toISOString().slice(0, 10);
const out = (name) => join(folder, name);

/** Runs the service on a store, and says its last line. */
async function serve(
  kind,
  store,
  { dist = join(ROOT, 'dist'), catalog = 'catalog.json', node = [], env = {} } = {},
) {
  const file = `file:${out(catalog)}`;
  if (kind !== 'bootstrap') await wait(Math.max(0, looked + DATE_LAG_MS - Date.now()));
  const output = await mustRun(process.execPath, [...node, join(dist, 'main.js'), 'run', kind], {
    MLFLOW_TRACKING_URI: server.uri,
    METRICS_API_URL: file,
    THRESHOLDS_API_URL: file,
    STORAGE_DIR: out(store),
    BATCH_SIZE: '50',
    ...env,
  });
  looked = Date.now();
  say(`${store}: ${output.trim().split('\n').at(-1)}`);
}

/** Compares a store with the database. @returns the exit code and what was said */
function compare(python, store, kind, fromDay, more = []) {
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
    ...more,
  ]);
}

async function mustEqual(...args) {
  const { code, output } = await compare(...args);
  process.stdout.write(output);
  if (code !== 0) throw new Error('The service and the recomputation differ');
}

async function mustDiffer(mutant, ...args) {
  const { code, output } = await compare(...args);
  if (code === 1 && mutant.shows.test(output)) return say(`found: ${mutant.name}`);
  throw new Error(`The mutant "${mutant.name}" was not found (exit ${code}):\n${output}`);
}

/** The day from which the change of the catalog applies: the service keeps it, and it must be the one that its rule gives. */
async function changedFrom(before) {
  const book = JSON.parse(await readFile(out('store/_state/rulebook.json'), 'utf8'));
  const [day, ...others] = new Set(
    book.entries.map(({ first_day }) => first_day).filter((first) => first !== null),
  );
  const expected = [before, Date.now()].map((ms) => dayOf(ms - 7 * DAY));
  if (others.length > 0 || !expected.includes(day))
    throw new Error(`The catalog changed from ${day} ${others} on, not from ${expected}`);
  return day;
}

/** What a service that runs for days does, each step compared. */
async function mainJob(python, change) {
  const firstDay = dayOf(Date.now() - BEHIND - 30 * DAY);
  await serve('bootstrap', 'store', { node: ['--import', SLOW_CLOCK] });
  await mustEqual(python, 'store', 'bootstrap', firstDay, ['--at-least', String(AT_LEAST)]);

  await change('delta');
  for (const name of ['', '.memory.json'])
    await cp(out(`store${name}`), out(`late${name}`), { recursive: true });
  const faulty = { dist: await mutate(ROOT, out('late-product'), LOOKING_BACK) };
  await Promise.all([serve('delta', 'store'), serve('delta', 'late', faulty)]);
  await mustEqual(python, 'store', 'delta', firstDay);
  await mustDiffer(LOOKING_BACK, python, 'late', 'delta', firstDay);

  await change('backup');
  await serve('backup', 'store');
  await mustEqual(python, 'store', 'backup', firstDay);

  await change('historical');
  const before = Date.now();
  await serve('historical', 'store', { catalog: 'catalog-later.json' });
  const changed = ['--changed', out('catalog-later.json'), '--changed-from', await changedFrom(before)];
  await mustEqual(python, 'store', 'historical', firstDay, changed);
}

/** The same first look with each fault in judging, and once without. */
async function judgingMutants(python) {
  const firstDay = dayOf(Date.now() - 7 * DAY);
  const include = ['--include', SMALL.EXPERIMENT_INCLUDE];
  await serve('bootstrap', 'small', { env: SMALL });
  await mustEqual(python, 'small', 'bootstrap', firstDay, include);
  for (const [number, mutant] of JUDGING.entries()) {
    const store = `small-${number}`;
    const dist = await mutate(ROOT, out(`${store}-product`), mutant);
    await serve('bootstrap', store, { dist, env: SMALL });
    await mustDiffer(mutant, python, store, 'bootstrap', firstDay, include);
  }
}

async function everything() {
  const mlflow = (await mustRun('sh', [join(HERE, 'venv.sh')])).trim().split('\n').at(-1);
  const python = join(dirname(mlflow), 'python');
  say('the virtual environment is there');
  server = await startMlflow(mlflow, folder);
  await server.ready;
  say(`MLflow is up at ${server.uri}`);
  const where = ['--uri', server.uri, '--database', server.database];
  say((await mustRun(python, [join(HERE, 'seed.py'), ...where, '--out', folder])).trim());
  const changeArgs = [join(HERE, 'change.py'), ...where, '--seeded', out('seeded.json')];
  await Promise.all([
    mainJob(python, (kind) => mustRun(python, [...changeArgs, kind])),
    judgingMutants(python),
  ]);
  console.log(`mutants: ${JUDGING.length + 1} of ${JUDGING.length + 1} found`);
}

async function cleanUp() {
  const ended = [...running].map((child) => once(child, 'close'));
  for (const child of running) child.kill('SIGTERM');
  await Promise.all([...ended, server?.stop()]);
  await rm(folder, { recursive: true, force: true });
}
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => cleanUp().finally(() => process.exit(1)));
}

try {
  await everything();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  await cleanUp();
}
