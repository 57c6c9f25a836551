import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compareCells, parquet } from '../lib/compare.mjs';
import { settingsFor, startTrackingServer } from '../lib/inputs.mjs';
import { findMlflow } from '../lib/mlflow.mjs';
import { measured, newFolder, ROOT, serviceCommand } from '../lib/processes.mjs';
import { DAY, HOUR } from '../lib/runs.mjs';
import { alternate, medians, number, ratio } from '../lib/statistics.mjs';

export const title = "the same work, against programs with MLflow's Python client";
export const sizes = { runs: [12_000, 200], metrics: [20, 5], days: [30, 3] };

const MODES = ['loops', 'vectorised', 'duckdb'];
const NAMES = {
  loops: 'pandas, row loops',
  vectorised: 'pandas, vectorised',
  duckdb: 'DuckDB',
  service: 'this service',
};

export async function run({ sizes: { runs, metrics, days }, rounds, print }) {
  const { python } = findMlflow();
  const now = Date.now();
  const block = { seed: 1, from: now - days * DAY + HOUR, to: now - 60_000, count: runs, metrics };
  const mlflow = await startTrackingServer({ history: block });
  const folder = await newFolder();
  const settings = await settingsFor(mlflow.uri, metrics, folder);
  const catalog = join(folder, 'catalog.json');

  const client = (mode) => async (round) => {
    const args = [
      join(ROOT, 'bench/programs/clients.py'),
      mode,
      mlflow.uri,
      catalog,
      join(folder, `${mode}-${round}`),
    ];
    const { output } = await measured(python, args, { env: { PYTHONDONTWRITEBYTECODE: '1' } });
    return JSON.parse(output.trim().split('\n').at(-1));
  };
  const service = async (round) => {
    const store = join(folder, `service-${round}`);
    const env = { ...settings, STORAGE_DIR: store, LOOKBACK_DAYS_HISTORICAL: String(days) };
    const { cpu, memory } = await serviceCommand(['run', 'historical'], env);
    const record = JSON.parse(await readFile(join(store, '_state/runs/historical-1/record.json'), 'utf8'));
    return { seconds: (record.finished_at - record.created_at) / 1000, cpu, memory };
  };
  const sides = { service, ...Object.fromEntries(MODES.map((mode) => [mode, client(mode)])) };
  const results = await alternate(sides, rounds, print);

  let cells = 0;
  for (const mode of MODES)
    cells += await compareWithService(join(folder, `${mode}-0`), join(folder, 'service-0'));
  print(`${number(cells)} cells are equal`);
  return {
    tables: [
      {
        columns: ['program', 'time, s', 'times that of the service', 'CPU, s', 'peak memory, MB'],
        rows: Object.entries(results).map(([name, list]) => {
          const { seconds, cpu, memory } = medians(list);
          return [NAMES[name], seconds, ratio(list, results.service, 'seconds'), cpu, memory];
        }),
      },
    ],
    goals: [
      {
        what: 'row loops, times that of the service',
        unit: '×',
        measured: ratio(results.loops, results.service, 'seconds'),
        atLeast: 20,
      },
      {
        what: 'vectorised, times that of the service',
        unit: '×',
        measured: ratio(results.vectorised, results.service, 'seconds'),
        atLeast: 1,
      },
    ],
    notes: [
      `${number(runs)} runs of ${metrics} metrics over ${days} days, from the tracking server of the demo, which answers faster than MLflow. Every program reads them over HTTP and writes Parquet.`,
      'The Python programs do less: per metric the status and the moving average, per application and hour the runs and the critical ones. They have no params, tags and MAPs, no means and trends of 7 days, no lights, no late data, and they store nothing durably.',
      'Time: without the imports of Python and the start of the service. CPU: of the whole process.',
      `The status and the moving average of each metric and both counts were compared with the service: ${number(cells)} cells are equal, averages up to a relative difference of 1e-9.`,
    ],
    raw: results,
  };
}

async function compareWithService(folder, store) {
  const series = (where) =>
    `(SELECT run_id, metric_name, status, CASE WHEN NOT isnan(moving_avg) THEN moving_avg END AS moving_avg FROM ${parquet(where, 'metric_timeseries')})`;
  const hours = (where) =>
    `(SELECT application, "timestamp", total_runs::BIGINT AS total_runs, critical_runs::BIGINT AS critical_runs FROM ${parquet(where, 'application_summary')})`;
  const counts = { total_runs: 'exact', critical_runs: 'exact' };
  return (
    (await compareCells('metric_timeseries', series(folder), series(store), ['run_id', 'metric_name'], {
      status: 'exact',
      moving_avg: 'close',
    })) +
    (await compareCells(
      'application_summary',
      hours(folder),
      hours(store),
      ['application', 'timestamp'],
      counts,
    ))
  );
}
