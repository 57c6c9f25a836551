import { DATASETS, wrongColumns } from '../storage/datasets.js';
import type { DuckSession } from '../storage/duck.js';

/** The datasets that the checks read. */
const CHECKED = ['runs', 'enriched_metrics', 'quarantine'] as const;
export type CheckedDataset = (typeof CHECKED)[number];

const VIEWS: Readonly<Record<CheckedDataset, string>> = {
  runs: 'day_runs',
  enriched_metrics: 'day_metrics',
  quarantine: 'day_quarantine',
};

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
  for (const dataset of CHECKED) {
    const readable: string[] = [];
    for (const file of files[dataset]) {
      const found = wrongColumns(dataset, (await session.inspect(file)).columns);
      wrong.push(...found.map(({ column, reason }) => ({ dataset, column, reason })));
      if (found.every(({ isMissing }) => isMissing)) readable.push(file);
    }
    const empty = DATASETS[dataset].columns.map(({ name, type }) => `NULL::${type} AS "${name}"`);
    const read = readable.length > 0 ? ` UNION ALL BY NAME SELECT * FROM ${readParquet(readable)}` : '';
    await session.run(
      `CREATE OR REPLACE TEMP VIEW ${VIEWS[dataset]} AS SELECT ${empty.join(', ')} WHERE false${read}`,
    );
  }
  return wrong;
}

/** A view takes no parameters. */
const quoted = (file: string): string => `'${file.replaceAll("'", "''")}'`;
const readParquet = (files: readonly string[]): string =>
  `read_parquet([${files.map(quoted).join(', ')}], union_by_name = true)`;
