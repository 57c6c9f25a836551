import { link, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { compareDatasets } from '../lib/compare-datasets.mjs';
import { settingsFor } from '../lib/inputs.mjs';
import { experimentsOf, writePages } from '../lib/pages.mjs';
import { DIST, measured, newFolder, ROOT } from '../lib/processes.mjs';
import { catalogOf, DAY, HOUR } from '../lib/runs.mjs';
import { alternate, medians, number, ratio } from '../lib/statistics.mjs';

export const title = 'stored pages to published Parquet, against a hand-written DuckDB script';
export const sizes = { runs: [50_000, 600], metrics: [20, 5], days: [30, 4] };

const NOW = Date.parse('2026-03-10T15:30:00Z');
const program = (name) => join(ROOT, 'bench/programs', name);

export async function run({ sizes: { runs, metrics, days }, rounds, print }) {
  const block = { seed: 1, from: NOW - days * DAY, to: NOW - HOUR, count: runs, metrics };
  const { folder: source, pages } = await writePages(block, 1000);
  const folder = await newFolder();
  const allDays = [...new Set(pages.map(({ day }) => day))];
  const files = pages.map(({ file }) => join(source, file));
  print(
    `${pages.length} pages of ${allDays.length} days, ${number(pages.reduce((sum, { bytes }) => sum + bytes, 0) / 2 ** 20)} MiB`,
  );

  const keyOf = ({ day, file }) => `_raw/historical-1/c0-${day.replaceAll('-', '')}/${file}`;
  const slices = allDays.map((day) => ({
    id: `c0-${day.replaceAll('-', '')}`,
    from: Date.parse(day),
    pages: pages
      .filter((page) => page.day === day)
      .map((page) => ({ key: keyOf(page), date: NOW, began: NOW - 100, runs: page.runs, bytes: page.bytes })),
  }));
  const inputs = join(folder, 'inputs.json');
  const catalog = catalogOf(metrics);
  const experiments = experimentsOf();
  await writeFile(
    inputs,
    JSON.stringify({ slices, now: NOW, experiments, files, days: allDays, origin: block.from, catalog }),
  );
  const settings = await settingsFor('http://127.0.0.1:9', metrics);

  const service = async (round) => {
    const store = join(folder, `service-${round}`);
    for (const page of pages) {
      const path = join(store, keyOf(page));
      await mkdir(dirname(path), { recursive: true });
      await link(join(source, page.file), path);
    }
    const { output, wall } = await measured(process.execPath, [program('engine.mjs'), inputs], {
      env: { DIST, ...settings, STORAGE_DIR: store },
    });
    return { ...JSON.parse(output.trim().split('\n').at(-1)), wall };
  };
  const script = async (round) => {
    const target = join(folder, `script-${round}`);
    const { wall, cpu, memory } = await measured(process.execPath, [
      program('engine-script.mjs'),
      inputs,
      target,
    ]);
    return { seconds: wall, cpu, memory, wall };
  };
  let cells = 0;
  const keepFirst = (side, name) => async (round) => {
    const result = await side(round);
    if (round > 0) await rm(join(folder, `${name}-${round}`), { recursive: true });
    return result;
  };
  const results = await alternate(
    { script: keepFirst(script, 'script'), service: keepFirst(service, 'service') },
    rounds,
    print,
  );
  cells = await compareDatasets(join(folder, 'script-0'), join(folder, 'service-0'));
  print(`${number(cells)} cells are equal`);

  return {
    tables: [
      {
        columns: ['side', 'time, s', 'CPU, s', 'CPU per 1,000 runs, s', 'peak memory, MB'],
        rows: Object.entries(results).map(([name, list]) => {
          const { seconds, cpu, memory } = medians(list);
          return [name, seconds, cpu, (cpu / runs) * 1000, memory];
        }),
      },
    ],
    goals: [
      { what: 'time', unit: '×', measured: ratio(results.service, results.script, 'seconds'), atMost: 1.5 },
      { what: 'CPU', unit: '×', measured: ratio(results.service, results.script, 'cpu'), atMost: 1.5 },
      { what: 'peak memory', unit: 'MB', measured: medians(results.service).memory, atMost: 1024 },
    ],
    notes: [
      'Service: the handlers of the stages enrich, aggregate, select-forecast, forecast, select-rebuild and rebuild, from the pages below `_raw/` to flushed objects in a folder, in the order and with the concurrency of the queues. Not included: the start of the process, MLflow, queue jobs, markers. The peak memory is that of the whole process, with the embedded queue.',
      'Script: the whole process of `bench/programs/engine-script.sql`, with the same limits of DuckDB. It has no durability, no late data, no quarantine, no exact sums and no forecasts.',
      `Five datasets were compared, without the forecasts: ${number(cells)} cells are equal; means and trends, which the script does not round correctly, up to a relative difference of 1e-9.`,
    ],
    raw: results,
  };
}
