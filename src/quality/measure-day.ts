import { errorMessage } from '../domain/errors.js';
import { COUNTED_CHECKS, type CountedCheck } from '../domain/quality/checks.js';
import type { Count, DayMeasures, RunningRun } from '../domain/quality/measure.js';
import { type Duck, type DuckSession, sql } from '../storage/duck.js';
import { type CheckedDataset, createDayViews, type WrongColumn } from './day-views.js';

/** The SQL measure of each check that counts records. */
const STATEMENTS: Readonly<Record<CountedCheck, string>> = {
  null_values: sql(import.meta.url, './sql/null_values.sql'),
  duplicate_records: sql(import.meta.url, './sql/duplicate_records.sql'),
  metric_ranges: sql(import.meta.url, './sql/metric_ranges.sql'),
  schema_compliance: sql(import.meta.url, './sql/schema_compliance.sql'),
  threshold_order: sql(import.meta.url, './sql/threshold_order.sql'),
  catalog_coverage: sql(import.meta.url, './sql/catalog_coverage.sql'),
};

/** Local files of one UTC day by dataset. */
export type DayFiles = Readonly<Record<CheckedDataset, readonly string[]>>;

export interface MeasuredDay {
  readonly measures: DayMeasures;
  /** Why checks could not be measured. */
  readonly errors: Readonly<Partial<Record<CountedCheck, string>>>;
}

interface CountRow {
  readonly application: string;
  readonly rows: number;
  readonly affected: number;
  readonly sample: string;
}

/** How far the clocks of the machines that log runs may be ahead, ms. */
const CLOCK_TOLERANCE_MS = 5 * 60_000;

/**
 * Measures the published objects of one day. A measure that fails is an error of its check and no other.
 * @param checks those that are enabled
 * @param now ms: runs that start later start in the future
 */
export function measureDay(
  duck: Duck,
  files: DayFiles,
  checks: ReadonlySet<string>,
  now: number,
): Promise<MeasuredDay> {
  return duck.session(async (session) => {
    const errors: Partial<Record<CountedCheck, string>> = {};
    const counts = Object.fromEntries(
      COUNTED_CHECKS.map((check): [CountedCheck, Record<string, Count>] => [check, {}]),
    ) as Record<CountedCheck, Record<string, Count>>;
    const wrong = await createDayViews(session, files);
    for (const check of COUNTED_CHECKS) {
      if (!checks.has(check)) continue;
      try {
        const latest = BigInt(now + CLOCK_TOLERANCE_MS);
        const parameters = check === 'schema_compliance' ? { now: latest } : undefined;
        const rows = await session.rows<CountRow>(STATEMENTS[check], parameters);
        const all = check === 'schema_compliance' ? [...rows, ...columnsRow(wrong)] : rows;
        counts[check] = byApplication(all);
      } catch (error) {
        errors[check] = errorMessage(error);
      }
    }
    return { measures: { counts, ...(await measureRuns(session)) }, errors };
  });
}

function byApplication(rows: readonly CountRow[]): Record<string, Count> {
  const counts: Record<string, Count> = {};
  for (const { application, rows: all, affected, sample } of rows) {
    const known = counts[application];
    counts[application] = {
      rows: all + (known?.rows ?? 0),
      affected: affected + (known?.affected ?? 0),
      sample: affected > 0 ? sample : (known?.sample ?? '[]'),
    };
  }
  return counts;
}

/** Columns that are wrong count like records without an application. */
function columnsRow(wrong: readonly WrongColumn[]): CountRow[] {
  if (wrong.length === 0) return [];
  const sample = JSON.stringify(wrong.slice(0, 5));
  return [{ application: '', rows: wrong.length, affected: wrong.length, sample }];
}

/** Reads `day_runs`. */
async function measureRuns(session: DuckSession): Promise<Pick<DayMeasures, 'runs' | 'running'>> {
  const runs = await session.rows<{ application: string; runs: number; newest: number }>(
    sql(import.meta.url, './sql/day_runs.sql'),
  );
  return {
    runs: Object.fromEntries(
      runs.map(({ application, runs: count, newest }) => [application, { count, newest }]),
    ),
    running: await runningRuns(session),
  };
}

/** Reads `day_runs`. */
export const runningRuns = (session: DuckSession): Promise<RunningRun[]> =>
  session.rows<RunningRun>(sql(import.meta.url, './sql/running_runs.sql'));
