import { join } from 'node:path';
import { settingsFor, startTrackingServer } from '../lib/inputs.mjs';
import { newFolder, startProgram } from '../lib/processes.mjs';
import { DAY, HOUR } from '../lib/runs.mjs';
import { alternate, medians, ratio } from '../lib/statistics.mjs';

export const title = 'deltas as the history grows';
/** Each is [full, quick]. */
export const sizes = {
  /** Runs that a delta finds. */
  changed: [500, 50],
  metrics: [20, 5],
  /** Runs of the history per day: 1 × is 10 days, 10 × is 100 days and so on. */
  'runs-per-day': [50, 10],
  history: [
    [1, 10, 100],
    [1, 3],
  ],
  /** Rows of the day of the heavy case. */
  'day-rows': [1_000_000, 10_000],
  /** Files of the heavy day, in a service of its own for each. */
  'partition-files': [
    [1, 4],
    [1, 4],
  ],
};

const DAYS = 10;
const NOW = Date.parse('2026-03-10T15:30:00Z');
/** The time between two deltas. */
const PERIOD = 5 * 60_000;

/** A running service on a stored history, and a function that adds runs and executes a delta. */
async function openHistory(block, metrics, days, env = {}) {
  const mlflow = await startTrackingServer({ history: block }, NOW);
  const folder = await newFolder();
  const settings = {
    ...(await settingsFor(mlflow.uri, metrics)),
    STORAGE_DIR: join(folder, 'store'),
    LOOKBACK_DAYS_HISTORICAL: String(days),
    ...env,
  };
  const first = await startProgram('service.mjs', settings);
  await first.call('open', { now: NOW });
  const bootstrap = await first.call('run', { kind: 'bootstrap' });
  await first.stop();
  // Another process, whose peak memory does not contain the bootstrap.
  const service = await startProgram('service.mjs', settings);
  await service.call('open', { now: NOW });
  let now = NOW;
  const delta = async (changed, seed) => {
    now += PERIOD;
    const to = now - 60_000;
    await mlflow.call('clock', { now });
    await service.call('clock', { now });
    const block = { seed, from: to - PERIOD + 120_000, to, count: changed, metrics };
    if (changed > 0) await mlflow.call('add', { name: `changed-${seed}`, block });
    return service.call('run', { kind: 'delta' });
  };
  // The first deltas sweep the stored days and fill the caches, as in a service that has run for some time.
  for (let i = 0; i < 2; i++) await delta(0);
  return { bootstrap, delta, stop: () => Promise.all([service.stop(), mlflow.stop()]) };
}

export async function run({ sizes, rounds, print }) {
  const { changed, metrics } = sizes;
  const histories = {};
  for (const times of sizes.history) {
    const days = DAYS * times;
    const block = {
      seed: 1,
      from: NOW - days * DAY + HOUR,
      to: NOW - HOUR,
      count: days * sizes['runs-per-day'],
      metrics,
    };
    histories[`${times} ×`] = await openHistory(block, metrics, days);
    print(`history ${times} × is stored: ${days} days`);
  }
  const names = Object.keys(histories);
  const sides = Object.fromEntries(
    names.flatMap((name) => [
      [`nothing changed, ${name}`, () => histories[name].delta(0)],
      [`${changed} runs, ${name}`, (round) => histories[name].delta(changed, 100 + round)],
    ]),
  );
  const results = await alternate(sides, rounds, print);
  for (const name of names) await histories[name].stop();

  const heavy = await heavyDay(sizes, rounds, print);
  const all = { ...results, ...heavy };
  const first = results[`${changed} runs, ${names[0]}`];
  const last = results[`${changed} runs, ${names.at(-1)}`];
  const idle = results[`nothing changed, ${names.at(-1)}`];
  const heavyResults = Object.values(heavy)[0];
  return {
    tables: [
      {
        columns: ['delta', 'wall time, s', 'CPU, s', 'store requests', 'peak memory, MB'],
        rows: Object.entries(all).map(([name, list]) => {
          const { wall, cpu, requests, memory } = medians(list);
          return [name, wall, cpu, requests, memory];
        }),
      },
    ],
    goals: [
      {
        what: `CPU with ${names.at(-1)} the history`,
        unit: '×',
        measured: ratio(last, first, 'cpu'),
        atMost: 1.2,
      },
      {
        what: `time with ${names.at(-1)} the history`,
        unit: '×',
        measured: ratio(last, first, 'wall'),
        atMost: 1.2,
      },
      {
        what: `requests with ${names.at(-1)} the history`,
        unit: '×',
        measured: ratio(last, first, 'requests'),
        atMost: 1.1,
      },
      { what: 'CPU if nothing changed', unit: 's', measured: medians(idle).cpu, atMost: 0.3 },
      { what: 'CPU on a heavy day, 512 MB', unit: 's', measured: medians(heavyResults).cpu, atMost: 10 },
    ],
    notes: [
      `The history has ${sizes['runs-per-day']} runs of ${metrics} metrics a day; 1 × is ${DAYS} days. One service runs per history, and the deltas take turns.`,
      'Store requests are calls of the object store port; a folder serves them. Some depend on how often the engine looks for due stages.',
      `Heavy day: a delta of ${changed} runs onto a day with ${sizes['day-rows']} metric rows, with DUCKDB_MEMORY_LIMIT=512MB. The runs of the delta belong to all applications, so that it rewrites all files.`,
    ],
    raw: all,
  };
}

async function heavyDay(sizes, rounds, print) {
  const { metrics, changed } = sizes;
  const count = Math.ceil(sizes['day-rows'] / metrics);
  const start = Math.floor(NOW / DAY) * DAY;
  const block = { seed: 2, from: start, to: NOW - HOUR, count, metrics };
  const services = {};
  for (const files of sizes['partition-files']) {
    const env = { DUCKDB_MEMORY_LIMIT: '512MB', PARTITION_FILES: String(files) };
    const heavy = await openHistory(block, metrics, 2, env);
    const name = `${changed} runs, heavy day${files === 1 ? '' : `, ${files} files`}`;
    print(`${name}: stored ${JSON.stringify(heavy.bootstrap)}`);
    services[name] = heavy;
  }
  const sides = Object.entries(services).map(([name, heavy]) => [
    name,
    (round) => heavy.delta(changed, 200 + round),
  ]);
  const results = await alternate(Object.fromEntries(sides), rounds, print);
  for (const heavy of Object.values(services)) await heavy.stop();
  return results;
}
