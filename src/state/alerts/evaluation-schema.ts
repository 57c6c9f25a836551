import { z } from 'zod';
import {
  ALERT_CHANGES,
  ALERT_RULES,
  ALERT_SCOPES,
  ALERT_SEVERITIES,
  ALERT_STATES,
  type AlertEvaluation,
  DIGEST_REASONS,
} from '../../domain/alerts/incident.js';

const time = z.iso.datetime();
const text = z.string().nullable();
const number = z.number().nullable();

const evidence = z.object({
  value: number,
  limit: number,
  unit: text,
  display_name: text,
  higher_is_better: z.boolean().nullable(),
  runs: z.object({ bad: z.int(), all: z.int() }).nullable(),
  run: z
    .object({ run_id: z.string(), run_name: z.string(), user: text, experiment_id: z.string(), time })
    .nullable(),
  cause: z.enum(['new_value', 'new_threshold', 'late_data']).nullable(),
  why: text,
  limit_before: number,
  limit_changed_by: text,
  coverage: z.object({ monitored: z.int(), all: z.int() }).nullable(),
  expected_breach: z.object({ status: z.enum(['warning', 'critical']), at: time }).nullable(),
  worst_metric: z
    .object({
      metric_name: z.string(),
      display_name: z.string(),
      unit: text,
      value: number,
      limit: number,
    })
    .nullable(),
});

/** An incident as it is stored and served. */
export const alertIncidentSchema = z.object({
  id: z.string(),
  key: z.string(),
  rule: z.enum(ALERT_RULES),
  subject: z.object({ scope: z.enum(ALERT_SCOPES), application: text, metric: text, item: text }),
  severity: z.enum(ALERT_SEVERITIES),
  state: z.enum(ALERT_STATES),
  since: time,
  pending_since: time.nullable(),
  fired_at: time.nullable(),
  evaluated_at: time,
  evidence,
  worst: number,
  owner: text,
  contact: text,
  runbook: text,
  muted: z.object({ until: time, by: z.string(), reason: z.string() }).nullable(),
  acknowledged: z.object({ at: time, by: z.string() }).nullable(),
  inhibited_by: text,
  digest_only: z.boolean(),
  digest_reason: z.enum(DIGEST_REASONS).nullable(),
  state_since: time,
  told_at: time.nullable(),
  violations: z.array(z.boolean()).readonly(),
  violated_window: z.object({ newest: z.string(), runs: z.int() }).nullable(),
});

const state = z.enum([...ALERT_STATES, 'ok']);

/** A change of an incident as it is stored and served. */
export const alertTransitionSchema = z.object({
  id: z.string(),
  at: time,
  from: state,
  to: state,
  change: z.enum(ALERT_CHANGES),
  incident: alertIncidentSchema,
  digest_only: z.boolean(),
  digest_reason: z.enum(DIGEST_REASONS).nullable(),
});

export const alertEvaluationSchema: z.ZodType<AlertEvaluation & { readonly version: 1 }> = z.object({
  version: z.literal(1),
  sequence: z.int().min(1),
  to: time,
  kind: z.enum(['data', 'service']),
  pipeline_run_id: text,
  last: z.object({ data: time.nullable(), service: time.nullable() }),
  observed_until: time.nullable(),
  software: z.string(),
  transitions: z.array(alertTransitionSchema).readonly(),
  incidents: z.array(alertIncidentSchema).readonly(),
});
