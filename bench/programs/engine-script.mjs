// Executes engine-script.sql and writes its five datasets, an object per day.
//   node engine-script.mjs <file: JSON, { files, days, origin, catalog, experiments }> <folder of the result>
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';

const [inputs, folder] = process.argv.slice(2);
const { files, days, origin, catalog, experiments } = JSON.parse(readFileSync(inputs, 'utf8'));
mkdirSync(folder, { recursive: true });
const bytes = Math.max(...files.map((file) => statSync(file).size));
const instance = await DuckDBInstance.create(':memory:', {
  memory_limit: '1GB',
  temp_directory: join(folder, '.temp'),
});
const connection = await instance.connect();
await connection.run("SET TimeZone = 'UTC'");

const [[threads]] = (await connection.runAndReadAll("SELECT current_setting('threads')")).getRowsJS();

const text = (value) => `'${String(value).replaceAll("'", "''")}'`;
const limits = new Map(catalog.thresholds.map((row) => [row.metric_name, row]));
const rules = catalog.metrics.map(({ metric_name, display_name, unit, higher_is_better }) => {
  const limit = limits.get(metric_name);
  const { critical_threshold: critical = 'NULL', warning_threshold: warning = 'NULL' } = limit ?? {};
  const updated = limit ? `TIMESTAMPTZ ${text(limit.updated_at)}` : 'NULL';
  return `(${text(metric_name)}, ${text(display_name)}, ${text(unit)}, ${higher_is_better}, ${critical}::DOUBLE, ${warning}::DOUBLE, ${updated}::TIMESTAMPTZ)`;
});
await connection.run(
  `CREATE TABLE rules AS SELECT * FROM (VALUES ${rules}) AS r (metric_name, display_name, unit, higher_is_better, critical_threshold, warning_threshold, threshold_updated_at)`,
);
const names = experiments.map(({ experiment_id, name }) => `(${text(experiment_id)}, ${text(name)})`);
await connection.run(
  `CREATE TABLE experiments AS SELECT * FROM (VALUES ${names}) AS e (experiment_id, name)`,
);

const script = readFileSync(join(import.meta.dirname, 'engine-script.sql'), 'utf8').replace(/^--.*$/gm, '');
for (const statement of script.split(/;\n/).filter((each) => each.trim() !== '')) {
  await connection.run(
    statement
      .replace('$files', `[${files.map(text)}]`)
      .replace('$bytes', String(bytes))
      .replace('$origin', String(origin)),
  );
}

/** At most 50 metrics of each run, those with a threshold first; few runs have more. */
const SUMMARIES = `
  SELECT run_id, run_summary_metrics FROM run_rows WHERE date = $day AND total_metrics <= 50
  UNION ALL
  SELECT run_id, map_from_entries(list_sort(list({"key": metric_name, "value": "value"})))
  FROM (
    SELECT run_id, metric_name, "value",
      row_number() OVER (PARTITION BY run_id ORDER BY threshold_source IS NULL, metric_name) AS place
    FROM judged
    WHERE date = $day AND run_id IN (SELECT run_id FROM run_rows WHERE date = $day AND total_metrics > 50)
  )
  WHERE place <= 50 GROUP BY run_id`;
// All tables are sorted; in one thread, a join keeps the order of its first side.
const DATASETS = {
  runs: ['SELECT * FROM run_rows WHERE date = $day', 100_000],
  enriched_metrics: ['SELECT * FROM judged WHERE date = $day', 100_000],
  metric_timeseries: [
    `SELECT s.* EXCLUDE (display_name, unit), run_summary_metrics, display_name, unit
     FROM (SELECT * FROM timeseries WHERE date = $day) AS s JOIN (${SUMMARIES}) USING (run_id)`,
    20_480,
  ],
  application_summary: ['SELECT * FROM application_rows WHERE date = $day', 100_000],
  platform_summary: ['SELECT * FROM platform_rows WHERE date = $day', 100_000],
};
for (const [dataset, [select, rows]] of Object.entries(DATASETS)) {
  await connection.run(`SET threads = ${select.includes(' JOIN ') ? 1 : threads}`);
  for (const day of days) {
    const where = join(folder, dataset, day.replaceAll('-', '/'));
    mkdirSync(where, { recursive: true });
    const copy = `COPY (${select.replaceAll('$day', `DATE ${text(day)}`)}) TO ${text(join(where, 'part-0.parquet'))}`;
    await connection.run(`${copy} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${rows})`);
  }
}
connection.closeSync();
instance.closeSync();
