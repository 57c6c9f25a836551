import { dayOf } from '../time.js';
import {
  COUNTED_CHECKS,
  keepsLimit,
  type QualityCheck,
  type QualityLimits,
  type QualitySeverity,
} from './checks.js';
import type { Measurement } from './measure.js';

/** The last verdict on all applications together, or on one that fails. */
export interface QualityVerdict {
  readonly severity: QualitySeverity;
  readonly passed: boolean;
  readonly measured: number | null;
  readonly limit: number;
  readonly affected: number;
  /** JSON, a list; of a check that could not be measured, the error. */
  readonly sample: string;
  /** Since when it has been passing or failing, ms. */
  readonly since: number;
  /** The UTC day of its last row in `data_quality`, and the records affected then. */
  readonly row_day: string;
  readonly row_affected: number;
}

/** By check. `total`: of all applications together. `applications`: those that fail. */
export type QualityVerdicts = Readonly<
  Partial<
    Record<
      QualityCheck,
      { readonly total: QualityVerdict; readonly applications: Readonly<Record<string, QualityVerdict>> }
    >
  >
>;

/** What was measured of a check, or why it could not be. */
export type CheckResult = readonly Measurement[] | { readonly error: string };

/** A row of the dataset `data_quality`. */
export interface QualityRow {
  readonly pipeline_run_id: string;
  /** The end of the window of the pipeline run, ms. */
  readonly at: number;
  readonly check_name: QualityCheck;
  readonly application: string | null;
  readonly severity: QualitySeverity;
  readonly passed: boolean;
  readonly measured: number | null;
  readonly limit: number;
  readonly affected_rows: number;
  readonly sample: string;
}

export interface QualityPass {
  readonly pipeline_run_id: string;
  /** ms */
  readonly at: number;
  readonly limits: QualityLimits;
  /** Of the checks that are enabled. */
  readonly results: Readonly<Partial<Record<QualityCheck, CheckResult>>>;
}

/**
 * The verdicts after a pipeline run, and the rows that it adds to `data_quality`: of all applications together if there is
 * none of this UTC day yet, or the verdict changed, or other records are affected; of an application if it fails and one of
 * these is so, or if it passes again.
 */
export function judgeQuality(
  before: QualityVerdicts,
  pass: QualityPass,
): { readonly verdicts: QualityVerdicts; readonly rows: readonly QualityRow[] } {
  const rows: QualityRow[] = [];
  const verdicts: Record<string, QualityVerdicts[QualityCheck]> = {};
  for (const [check, result] of Object.entries(pass.results) as [QualityCheck, CheckResult][]) {
    const known = before[check];
    const values = 'error' in result ? [failedMeasure(result.error)] : result;
    const judge = (value: Measurement, previous: QualityVerdict | undefined): QualityVerdict => {
      const verdict = verdictOf(check, value, 'error' in result, previous, pass);
      const isNew =
        hasRow(previous, verdict, dayOf(pass.at)) &&
        (value.application === null || !verdict.passed || previous !== undefined);
      if (!isNew) return verdict;
      rows.push(rowOf(check, value.application, verdict, pass));
      return { ...verdict, row_day: dayOf(pass.at), row_affected: verdict.affected };
    };
    const [total, ...others] = values;
    if (!total) continue;
    const ofTotal = judge(total, known?.total);
    // Nothing is known of the applications if the measure failed: they stay as they are.
    const applications: Record<string, QualityVerdict> = 'error' in result ? { ...known?.applications } : {};
    const measured = new Set(others.map(({ application }) => application));
    const left = Object.keys(known?.applications ?? {}).filter(
      (application) => !('error' in result) && !measured.has(application),
    );
    for (const value of [...others, ...left.map(nothingMeasured)]) {
      const application = value.application ?? '';
      const verdict = judge(value, known?.applications[application]);
      if (!verdict.passed) applications[application] = verdict;
    }
    verdicts[check] = { total: ofTotal, applications };
  }
  return { verdicts: verdicts as QualityVerdicts, rows };
}

const failedMeasure = (error: string): Measurement => ({
  application: null,
  measured: null,
  affected: 0,
  sample: JSON.stringify([{ error }]),
});

/** An application that failed and has no records any more passes. */
const nothingMeasured = (application: string): Measurement => ({
  application,
  measured: null,
  affected: 0,
  sample: '[]',
});

const isCounted = (check: QualityCheck): boolean => (COUNTED_CHECKS as readonly string[]).includes(check);

function verdictOf(
  check: QualityCheck,
  { measured, affected, sample }: Measurement,
  isBroken: boolean,
  previous: QualityVerdict | undefined,
  { limits, at }: QualityPass,
): QualityVerdict {
  const { limit, severity } = limits[check];
  const passed = !isBroken && keepsLimit(check, measured, limit);
  return {
    severity,
    passed,
    measured,
    limit,
    // What lies within a limit that compares with the usual is not wrong.
    affected: passed && !isCounted(check) ? 0 : affected,
    sample: passed ? '[]' : sample,
    since: previous?.passed === passed ? previous.since : at,
    row_day: previous?.row_day ?? '',
    row_affected: previous?.row_affected ?? 0,
  };
}

const hasRow = (previous: QualityVerdict | undefined, next: QualityVerdict, day: string): boolean =>
  !previous ||
  previous.row_day !== day ||
  previous.passed !== next.passed ||
  (!next.passed && previous.row_affected !== next.affected);

const rowOf = (
  check: QualityCheck,
  application: string | null,
  { severity, passed, measured, limit, affected, sample }: QualityVerdict,
  { pipeline_run_id, at }: QualityPass,
): QualityRow => ({
  pipeline_run_id,
  at,
  check_name: check,
  application,
  severity,
  passed,
  measured,
  limit,
  affected_rows: affected,
  sample,
});
