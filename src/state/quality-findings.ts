import { CHECKS, QUALITY_CHECKS, type QualityCheck, type QualitySeverity } from '../domain/quality/checks.js';
import type { ObjectStore } from '../storage/object-store.js';
import { readQualityVerdicts } from './quality.js';

/** A check of data quality that fails now. */
export interface QualityFinding {
  readonly check_name: QualityCheck;
  /** `null`: all applications together. */
  readonly application: string | null;
  readonly severity: QualitySeverity;
  /** In the unit of the check; `null`: it could not be measured. */
  readonly measured: number | null;
  readonly limit: number;
  readonly affected_rows: number;
  /** What it would mean that the check passes. */
  readonly meaning: string;
  readonly next_step: string;
  /** JSON, a list of examples. */
  readonly sample: string;
  /** ISO 8601: the end of the window of the first pipeline run that found it. */
  readonly since: string;
}

/** The checks that fail now, errors first; of a check all applications together first, then by name. */
export async function readQualityFindings(store: ObjectStore): Promise<QualityFinding[]> {
  const verdicts = await readQualityVerdicts(store);
  const findings = QUALITY_CHECKS.flatMap((check_name) => {
    const { total, applications = {} } = verdicts[check_name] ?? {};
    const { meaning, next_step } = CHECKS[check_name];
    const each = Object.entries(applications).sort(([a], [b]) => (a < b ? -1 : 1));
    return [[null, total] as const, ...each].flatMap(([application, verdict]) => {
      if (!verdict || verdict.passed) return [];
      const { severity, measured, limit, affected, sample, since } = verdict;
      return {
        check_name,
        application,
        severity,
        measured,
        limit,
        affected_rows: affected,
        meaning,
        next_step,
        sample,
        since: new Date(since).toISOString(),
      };
    });
  });
  return [
    ...findings.filter(({ severity }) => severity === 'error'),
    ...findings.filter(({ severity }) => severity !== 'error'),
  ];
}
