/** A column of a published dataset. */
export interface Column {
  readonly name: string;
  /** In DuckDB's notation, as `DESCRIBE` prints it. */
  readonly type: string;
  /** What a value says, for the reader of the data. */
  readonly meaning: string;
  /** `%`, `runs`; absent if the value has none. */
  readonly unit?: string;
  /** When a value is null; absent: never. */
  readonly nulls?: string;
  /** The schema version that added the column; absent: the first. */
  readonly since?: number;
}

export interface DatasetDescription {
  /** What a row stands for, after `one row per`. */
  readonly rowPer: string;
  /** The order of the rows of a file. */
  readonly sortedBy: readonly string[];
  readonly columns: readonly Column[];
}

type Details = Pick<Column, 'unit' | 'nulls' | 'since'>;
const columnOf =
  (type: string) =>
  (name: string, meaning: string, details: Details = {}): Column => ({ name, type, meaning, ...details });

export const text = columnOf('VARCHAR');
export const double = columnOf('DOUBLE');
export const integer = columnOf('INTEGER');
export const bigint = columnOf('BIGINT');
export const boolean = columnOf('BOOLEAN');
export const instant = columnOf('TIMESTAMP WITH TIME ZONE');
export const texts = columnOf('VARCHAR[]');
export const textMap = columnOf('MAP(VARCHAR, VARCHAR)');
export const doubleMap = columnOf('MAP(VARCHAR, DOUBLE)');
export const columnOfType = columnOf;

export const date = (meaning = 'Day of `timestamp`.'): Column => columnOf('DATE')('date', meaning);
export const timestamp = (meaning: string): Column => instant('timestamp', meaning);

export const OF_METRIC = "the metric's";
export const STATUSES = '`critical`, `invalid`, `warning`, `healthy` or `unmonitored`';
