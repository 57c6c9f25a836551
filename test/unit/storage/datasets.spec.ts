import { assertColumns, DATASETS, wrongColumns } from '../../../src/storage/datasets.js';
import { PUBLISHED_DATASETS } from '../../../src/storage/keys.js';

const columnsOf = (dataset: (typeof PUBLISHED_DATASETS)[number]) =>
  new Map(DATASETS[dataset].columns.map(({ name, type }) => [name, type]));
const KEY = 'enriched_metrics/2026/03/10/part-0.parquet';

describe('the columns of a file', () => {
  it.each(PUBLISHED_DATASETS)('are accepted as described: %s', (dataset) => {
    expect(() => assertColumns(`${dataset}/2026/03/10/part-0.parquet`, columnsOf(dataset))).not.toThrow();
  });

  it('may lack those of a later schema version only', () => {
    const columns = columnsOf('enriched_metrics');
    columns.delete('min_value');
    expect(wrongColumns('enriched_metrics', columns)).toEqual([]);
    columns.delete('value');
    expect(wrongColumns('enriched_metrics', columns)).toEqual([
      { column: 'value', isMissing: true, reason: 'is missing' },
    ]);
  });

  it('are refused with each name that is wrong', () => {
    const columns = columnsOf('enriched_metrics').set('value', 'VARCHAR').set('extra', 'DOUBLE');
    columns.delete('status');
    expect(() => assertColumns(KEY, columns)).toThrow(
      `${KEY} is not published: value is VARCHAR instead of DOUBLE, status is missing, extra is not described`,
    );
  });

  it('are not checked of internal objects', () => {
    expect(() => assertColumns('_base/2026/03/10/part-0.parquet', new Map())).not.toThrow();
  });
});

it('each column is described once, and the order of rows names columns', () => {
  for (const { columns, sortedBy } of Object.values(DATASETS)) {
    const names = columns.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(expect.arrayContaining([...sortedBy]));
  }
});
