import { compareCells, parquet, query } from './compare.mjs';

const KEYS = {
  runs: ['run_id'],
  enriched_metrics: ['run_id', 'metric_name'],
  metric_timeseries: ['run_id', 'metric_name'],
  application_summary: ['application', 'timestamp'],
  platform_summary: ['timestamp'],
};
/** The order of the rows in a file. */
const ORDER = {
  runs: '(application, "timestamp", run_id)',
  enriched_metrics: '(application, metric_name, "timestamp", run_id)',
  metric_timeseries: '(application, metric_name, "timestamp", run_id)',
  application_summary: '(application, "timestamp")',
  platform_summary: '("timestamp", 1)',
};
/** Columns computed from plain sums of doubles. */
const CLOSE = new Set(['moving_avg', 'pass_rate', 'strict_pass_rate', 'coverage', 'pass_rate_trend']);

/**
 * Compares the five datasets in two folders.
 * @throws {Error} with the first difference of columns, order or cells
 * @returns the number of cells that are equal
 */
export async function compareDatasets(left, right) {
  let cells = 0;
  for (const [dataset, keys] of Object.entries(KEYS)) {
    const [a, b] = [parquet(left, dataset), parquet(right, dataset)];
    const [columns, others] = await Promise.all(
      [a, b].map((each) => query(`DESCRIBE SELECT * FROM ${each}`)),
    );
    const typed = (list) =>
      list.map(({ column_name, column_type }) => `${column_name} ${column_type}`).join(', ');
    if (typed(columns) !== typed(others))
      throw new Error(`${dataset} has columns ${typed(columns)} and ${typed(others)}`);
    for (const folder of [left, right]) await assertOrder(dataset, folder);
    const names = columns
      .map(({ column_name }) => column_name)
      // A script does not forecast.
      .filter((name) => !keys.includes(name) && !['metrics_summary', 'forecast'].includes(name));
    const how = Object.fromEntries(names.map((name) => [name, CLOSE.has(name) ? 'close' : 'exact']));
    cells += await compareCells(dataset, a, b, keys, how);
    if (dataset === 'application_summary') cells += await compareSummaries(a, b);
  }
  return cells;
}

async function assertOrder(dataset, folder) {
  const files = parquet(folder, dataset).replace(/\)$/, ', filename = true, file_row_number = true)');
  const [{ wrong }] = await query(`
    SELECT count(*) FILTER (place < before)::DOUBLE AS wrong FROM (
      SELECT ${ORDER[dataset]} AS place, lag(${ORDER[dataset]}) OVER (PARTITION BY filename ORDER BY file_row_number) AS before
      FROM ${files}
    )`);
  if (wrong > 0) throw new Error(`${folder}: ${wrong} rows of ${dataset} are not in order`);
}

/** The MAP of an application's metrics, an entry at a time. */
function compareSummaries(a, b) {
  const entries = (relation) =>
    `(SELECT application, "timestamp", e.key AS metric_name, unnest(e.value) FROM (SELECT application, "timestamp", unnest(map_entries(metrics_summary)) AS e FROM ${relation}))`;
  const exact = ['latest_value', 'latest_status', 'display_name', 'unit'].map((name) => [name, 'exact']);
  const columns = { ...Object.fromEntries(exact), avg_value: 'close', trend: 'close' };
  return compareCells(
    'metrics_summary',
    entries(a),
    entries(b),
    ['application', 'timestamp', 'metric_name'],
    columns,
  );
}
