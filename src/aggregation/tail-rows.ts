import { createHash } from 'node:crypto';
import { BLOB, DOUBLE, VARCHAR } from '@duckdb/node-api';
import type { SeriesTail } from '../domain/forecast/tail.js';
import { bytesOfDoubles, doublesOfBytes } from '../storage/double-bytes.js';
import type { Column } from '../storage/duck.js';

/** A row of `_tails`. */
export interface TailRow {
  readonly application: string;
  readonly metric_name: string;
  readonly tail: SeriesTail;
  /** The parameters of the forecast after the day, as JSON; null if there are none, or no rows on the day. */
  readonly parameters: string | null;
  /** Digest of the points from which they were chosen. */
  readonly digest: string;
  /** Of the rows of the day, in their order; NaN where there is none. */
  readonly predictions: Float64Array;
}

const NO_PREDICTIONS = new Float64Array();

/** @param columns result of read_tails.sql. The rows have no predictions: these belong to the rows of their own day */
export function rowsOfColumns(columns: Readonly<Record<string, readonly unknown[]>>): TailRow[] {
  const { application = [], metric_name = [], times = [], values = [] } = columns;
  const { parameters = [], points_digest = [] } = columns;
  return application.map((name, i) => {
    const text = parameters[i] as string | null;
    return {
      application: String(name),
      metric_name: String(metric_name[i]),
      tail: { times: doublesOfBytes(times[i]), values: doublesOfBytes(values[i]) },
      parameters: text,
      digest: String(points_digest[i]),
      predictions: NO_PREDICTIONS,
    };
  });
}

/**
 * The row of a series without rows on a day. Its parameters stay behind: they may have been chosen from points that are no
 * longer in the tail, so that they would not follow from what the day names as its inputs.
 */
export const withoutRows = (row: TailRow): TailRow => ({ ...row, parameters: null, digest: '' });

/** What copy_tails.sql reads. */
export function columnsOfRows(rows: readonly TailRow[]): Record<string, Column> {
  return {
    series: { type: DOUBLE, values: Float64Array.from(rows.keys()) },
    application: { type: VARCHAR, values: rows.map(({ application }) => application) },
    metric_name: { type: VARCHAR, values: rows.map(({ metric_name }) => metric_name) },
    times: { type: BLOB, values: rows.map(({ tail }) => bytesOfDoubles(tail.times)) },
    values: { type: BLOB, values: rows.map(({ tail }) => bytesOfDoubles(tail.values)) },
    parameters: { type: VARCHAR, values: rows.map(({ parameters }) => parameters) },
    points_digest: { type: VARCHAR, values: rows.map(({ digest }) => digest) },
    predictions: { type: BLOB, values: rows.map(({ predictions }) => bytesOfDoubles(predictions)) },
  };
}

/** SHA-256 of what a later day goes on from: the points. Parameters are chosen from these, and predictions belong to the day. */
export function digestOfRows(rows: readonly TailRow[]): string {
  const hash = createHash('sha256');
  for (const { application, metric_name, tail } of rows) {
    hash.update(JSON.stringify([application, metric_name, tail.times.length]));
    hash.update(tail.times).update(tail.values);
  }
  return hash.digest('hex');
}
