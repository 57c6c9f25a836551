import { z } from 'zod';
import { CHECKS, QUALITY_CHECKS, QUALITY_SEVERITIES, type QualityCheck } from '../domain/quality/checks.js';
import type { QualityVerdict } from '../domain/quality/verdicts.js';
import type { QualityState } from '../state/quality.js';

const judged = {
  passed: z.boolean(),
  /** null: there was nothing to measure, or it could not be measured. In the unit of the check. */
  measured: z.number().nullable(),
  affected_rows: z.int(),
  /** Since when it has been passing or failing. */
  since: z.iso.datetime(),
  /** Examples of what is wrong. */
  sample: z.array(z.record(z.string(), z.unknown())),
};

/** The response of `/quality`: the current verdicts. */
export const qualitySchema = z.object({
  /** The end of the newest window in which something changed; null: nothing was checked yet. */
  at: z.iso.datetime().nullable(),
  checks: z.array(
    z.object({
      check_name: z.enum(QUALITY_CHECKS),
      meaning: z.string(),
      next_step: z.string(),
      severity: z.enum(QUALITY_SEVERITIES),
      unit: z.enum(['%', 'records', 'times']),
      bound: z.enum(['most', 'least']),
      limit: z.number(),
      ...judged,
      /** The applications that fail. */
      applications: z.array(z.object({ application: z.string(), ...judged })),
    }),
  ),
});
export type Quality = z.infer<typeof qualitySchema>;

const judgedOf = ({ passed, measured, affected, since, sample }: QualityVerdict) => ({
  passed,
  measured,
  affected_rows: affected,
  since: new Date(since).toISOString(),
  sample: JSON.parse(sample) as Record<string, unknown>[],
});

export function describeQuality({ at, verdicts }: QualityState): Quality {
  const checks = QUALITY_CHECKS.flatMap((check_name: QualityCheck) => {
    const verdict = verdicts[check_name];
    if (!verdict) return [];
    const { meaning, next_step, unit, bound } = CHECKS[check_name];
    const { severity, limit } = verdict.total;
    const applications = Object.entries(verdict.applications)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([application, each]) => ({ application, ...judgedOf(each) }));
    const definition = { check_name, meaning, next_step, severity, unit, bound, limit };
    return { ...definition, ...judgedOf(verdict.total), applications };
  });
  return { at: at === 0 ? null : new Date(at).toISOString(), checks };
}

export const historyQuery = z.strictObject({
  check: z.enum(QUALITY_CHECKS).meta({ description: 'The name of a check.' }),
  application: z.string().min(1).optional().meta({
    description: 'Only this application. Without it: all applications together.',
  }),
  from: z.iso.date().optional().meta({ description: 'The first UTC day; 29 days before `to` by default.' }),
  to: z.iso.date().optional().meta({ description: 'The last UTC day; today by default.' }),
});

/** The response of `/quality/history`, newest first. */
export const historySchema = z.object({
  rows: z.array(
    z.object({
      at: z.iso.datetime(),
      pipeline_run_id: z.string(),
      severity: z.enum(QUALITY_SEVERITIES),
      passed: z.boolean(),
      measured: z.number().nullable(),
      limit: z.number(),
      affected_rows: z.int(),
      sample: z.array(z.record(z.string(), z.unknown())),
    }),
  ),
});
export type QualityHistory = z.infer<typeof historySchema>;

export const quarantineQuery = z.strictObject({
  day: z.iso
    .date()
    .optional()
    .meta({ description: 'Only records that were first observed on this UTC day.' }),
  limit: z
    .codec(z.string().regex(/^\d{1,3}$/, 'a whole number'), z.int().min(1).max(200), {
      decode: Number,
      encode: String,
    })
    .default(50)
    .meta({
      type: 'integer',
      minimum: 1,
      maximum: 200,
      description: 'The number of records of a page. 50 by default.',
    }),
  cursor: z
    .string()
    .regex(/^[0-9a-f]{64}$/, '`next` of the page before')
    .optional()
    .meta({ description: '`next` of the page before.' }),
});

export const replayedSchema = z.object({
  /** The delta that requests the runs. */
  pipeline_run_id: z.string().nullable(),
  runs: z.int(),
  skipped: z.int(),
});
