import { type DuckSession } from '../storage/duck.js';

/** The columns that the checks read and a published file must have, with their types in DuckDB. */
export const COLUMNS = {
  runs: {
    date: 'DATE',
    timestamp: 'TIMESTAMP WITH TIME ZONE',
    run_id: 'VARCHAR',
    run_name: 'VARCHAR',
    experiment_id: 'VARCHAR',
    experiment_name: 'VARCHAR',
    application: 'VARCHAR',
    user_id: 'VARCHAR',
    run_status: 'VARCHAR',
    start_time: 'TIMESTAMP WITH TIME ZONE',
    end_time: 'TIMESTAMP WITH TIME ZONE',
    parent_run_id: 'VARCHAR',
    eligible: 'BOOLEAN',
    status: 'VARCHAR',
    evaluated_metrics: 'INTEGER',
    total_metrics: 'INTEGER',
    params: 'MAP(VARCHAR, VARCHAR)',
    tags: 'MAP(VARCHAR, VARCHAR)',
    run_summary_metrics: 'MAP(VARCHAR, DOUBLE)',
  },
  enriched_metrics: {
    date: 'DATE',
    timestamp: 'TIMESTAMP WITH TIME ZONE',
    run_id: 'VARCHAR',
    run_name: 'VARCHAR',
    experiment_id: 'VARCHAR',
    experiment_name: 'VARCHAR',
    application: 'VARCHAR',
    user_id: 'VARCHAR',
    run_status: 'VARCHAR',
    eligible: 'BOOLEAN',
    metric_name: 'VARCHAR',
    value: 'DOUBLE',
    step: 'BIGINT',
    metric_timestamp: 'TIMESTAMP WITH TIME ZONE',
    model_id: 'VARCHAR',
    dataset_name: 'VARCHAR',
    display_name: 'VARCHAR',
    description: 'VARCHAR',
    unit: 'VARCHAR',
    category: 'VARCHAR',
    higher_is_better: 'BOOLEAN',
    critical_threshold: 'DOUBLE',
    warning_threshold: 'DOUBLE',
    threshold_source: 'VARCHAR',
    threshold_updated_at: 'TIMESTAMP WITH TIME ZONE',
    threshold_updated_by: 'VARCHAR',
    status: 'VARCHAR',
    invalid_kind: 'VARCHAR',
    min_value: 'DOUBLE',
    max_value: 'DOUBLE',
  },
  quarantine: {
    date: 'DATE',
    timestamp: 'TIMESTAMP WITH TIME ZONE',
    record_digest: 'VARCHAR',
    pipeline_run_id: 'VARCHAR',
    run_id: 'VARCHAR',
    reason: 'VARCHAR',
    record: 'VARCHAR',
  },
} as const;
export type CheckedDataset = keyof typeof COLUMNS;

const VIEWS: Readonly<Record<CheckedDataset, string>> = {
  runs: 'day_runs',
  enriched_metrics: 'day_metrics',
  quarantine: 'day_quarantine',
};

/** Files of schema version 1 do not have these columns. */
const ADDED_LATER: readonly string[] = ['min_value', 'max_value'];

export interface WrongColumn {
  readonly dataset: CheckedDataset;
  readonly column: string;
  readonly reason: string;
}

/**
 * Makes `day_runs`, `day_metrics` and `day_quarantine`, views of the files with all columns. A file with a column of another type
 * cannot be read together with the others: it is left out.
 * @param files local files of one day; none is an empty view
 * @returns what is wrong with the columns of the files
 */
export async function createDayViews(
  session: DuckSession,
  files: Readonly<Record<CheckedDataset, readonly string[]>>,
): Promise<WrongColumn[]> {
  const wrong: WrongColumn[] = [];
  for (const dataset of Object.keys(COLUMNS) as CheckedDataset[]) {
    const readable: string[] = [];
    for (const file of files[dataset]) {
      const found = await wrongColumns(session, dataset, file);
      wrong.push(...found);
      if (!found.some(({ reason }) => reason !== MISSING)) readable.push(file);
    }
    const empty = Object.entries(COLUMNS[dataset]).map(([name, type]) => `NULL::${type} AS "${name}"`);
    const read = readable.length > 0 ? ` UNION ALL BY NAME SELECT * FROM ${readParquet(readable)}` : '';
    await session.run(
      `CREATE OR REPLACE TEMP VIEW ${VIEWS[dataset]} AS SELECT ${empty.join(', ')} WHERE false${read}`,
    );
  }
  return wrong;
}

const MISSING = 'is missing';

/** A view takes no parameters. */
const quoted = (file: string): string => `'${file.replaceAll("'", "''")}'`;
const readParquet = (files: readonly string[]): string =>
  `read_parquet([${files.map(quoted).join(', ')}], union_by_name = true)`;

async function wrongColumns(
  session: DuckSession,
  dataset: CheckedDataset,
  file: string,
): Promise<WrongColumn[]> {
  const columns = await session.rows<{ column_name: string; column_type: string }>(
    `DESCRIBE SELECT * FROM ${readParquet([file])}`,
  );
  const types = new Map(columns.map(({ column_name, column_type }) => [column_name, column_type]));
  return Object.entries(COLUMNS[dataset]).flatMap(([column, type]) => {
    const found = types.get(column);
    if (found === type || (found === undefined && ADDED_LATER.includes(column))) return [];
    return [{ dataset, column, reason: found === undefined ? MISSING : `is ${found} instead of ${type}` }];
  });
}
