import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { startMlflow } from '../../test/independent/server.mjs';
import { CACHE, measured, onEnd, ROOT } from './processes.mjs';
import { DAY, EXPERIMENTS, HOUR, runOf } from './runs.mjs';

/** The virtual environment with MLflow, which is installed if it is missing. */
export function findMlflow() {
  const script = join(ROOT, 'test/independent/venv.sh');
  const mlflow = execFileSync('sh', [script], { encoding: 'utf8' }).trim().split('\n').at(-1);
  return { mlflow, python: join(dirname(mlflow), 'python') };
}

/** `days` days of runs that end an hour before `now`. */
export const historyOf = (now, runs, metrics, days) => ({
  seed: 1,
  from: now - days * DAY + HOUR,
  to: now - HOUR,
  count: runs,
  metrics,
});

/**
 * Starts a real MLflow with a month of runs on SQLite. The database is kept for the next time.
 * @returns its address, and the time at which the runs are recent, ms
 */
export async function startSeededMlflow(runs, metrics, days, print) {
  const { mlflow, python } = findMlflow();
  const folder = join(CACHE, `mlflow-${runs}x${metrics}x${days}`);
  const marker = join(folder, 'seeded.json');
  if (!existsSync(marker)) {
    print(`seeding MLflow with ${runs} runs of ${metrics} metrics in ${folder}`);
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    const now = Date.now();
    const file = await writeRuns(join(folder, 'runs.jsonl'), historyOf(now, runs, metrics, days));
    const server = await start(mlflow, folder);
    for (let i = 1; i <= EXPERIMENTS; i++) await createExperiment(server.uri, `experiment-${i}`);
    await server.stop();
    await measured(python, [join(ROOT, 'bench/programs/seed.py'), server.database, file]);
    await rm(file);
    await writeFile(marker, JSON.stringify({ now }));
  }
  const { now } = JSON.parse(await readFile(marker, 'utf8'));
  return { ...(await start(mlflow, folder)), now };
}

async function start(mlflow, folder) {
  const server = await startMlflow(mlflow, folder);
  onEnd(server.stop);
  await server.ready;
  return server;
}

async function writeRuns(file, block) {
  const out = createWriteStream(file);
  for (let i = 0; i < block.count; i++) {
    if (!out.write(`${JSON.stringify(runOf(block, i))}\n`)) await once(out, 'drain');
  }
  out.end();
  await once(out, 'close');
  return file;
}

async function createExperiment(uri, name) {
  const response = await fetch(`${uri}/api/2.0/mlflow/experiments/create`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ name }),
  });
  if (!response.ok) throw new Error(`MLflow did not create an experiment: ${await response.text()}`);
}
