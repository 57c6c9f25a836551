import { z } from 'zod';
import { GATE_VERDICTS, type GateMetric } from '../domain/gate.js';
import { METRIC_STATUSES } from '../domain/model.js';
import { RUN_ID } from '../ingestion/page-limit.js';

const percent = (max: number) => z.number().min(0).max(max);
const name = z.string().trim().min(1).max(1_000);

/** What to judge, and how strictly. */
export const verdictRequestSchema = z
  .strictObject({
    run: name.regex(RUN_ID).optional().describe('An MLflow run id.'),
    model: name
      .optional()
      .describe('A registered model: NAME (its newest version), NAME@ALIAS or NAME/VERSION.'),
    application: name.optional().describe('An application: its newest run that counts, of the last 30 days.'),
    baseline: name
      .optional()
      .describe('A run id, a model (NAME@ALIAS or NAME/VERSION), or an alias of `model`, to compare with.'),
    max_drop_percent: percent(1_000_000)
      .optional()
      .describe('How much worse than the baseline a metric may be, percent of its value there.'),
    min_coverage_percent: percent(100)
      .default(0)
      .describe('The share of metrics that must have a threshold.'),
    fail_on: z
      .enum(['critical', 'warning'])
      .default('critical')
      .describe('The status from which a metric fails.'),
  })
  .refine(
    ({ run, model, application }) =>
      [run, model, application].filter((each) => each !== undefined).length === 1,
    'Name exactly one of run, model and application.',
  )
  .refine(
    ({ max_drop_percent, baseline }) => max_drop_percent === undefined || baseline !== undefined,
    'max_drop_percent needs a baseline.',
  );
export type VerdictRequest = z.infer<typeof verdictRequestSchema>;

const text = z.string().nullable();
const number = z.number().nullable();

const metricSchema = z.object({
  metric_name: z.string(),
  display_name: z.string(),
  description: text,
  unit: text,
  category: text,
  status: z.enum(METRIC_STATUSES),
  value: number.describe('null: invalid'),
  invalid_kind: z.enum(['nan', 'inf', '-inf']).nullable(),
  limit: number.describe('The limit that the value has crossed, else the one it would cross first.'),
  distance: number.describe('The distance of the value from its limit; negative if the value is beyond it.'),
  higher_is_better: z.boolean().nullable(),
  critical_threshold: number,
  warning_threshold: number,
  threshold_source: z.enum(['experiment', 'platform']).nullable(),
  threshold_updated_at: text,
  threshold_updated_by: text,
  baseline: number.describe('The value of the baseline; null: not compared.'),
  drop_percent: number.describe('How much worse than the baseline, percent of its value; negative: better.'),
  fails: z
    .boolean()
    .describe('Beyond its limit, or worse than the baseline by more than `max_drop_percent`.'),
}) satisfies z.ZodType<GateMetric>;

const runSchema = z.object({
  run_id: z.string(),
  run_name: text,
  experiment_id: z.string(),
  experiment_name: text,
  application: text,
  run_status: text.describe("MLflow's status of the run."),
  day: text.describe('The UTC day whose rules apply.'),
  model: z.object({ name: z.string(), version: z.string() }).nullable(),
});
export type VerdictRun = z.infer<typeof runSchema>;

export const verdictSchema = z.object({
  verdict: z.enum(GATE_VERDICTS),
  reason: z.string().describe('Why, in one or two sentences.'),
  waiting: z.boolean().describe('The run has not ended: a later request may decide.'),
  rules: z.string().describe('Where the rules come from.'),
  run: runSchema.nullable(),
  baseline: runSchema.nullable(),
  status: z.enum(METRIC_STATUSES).describe('The status that the service publishes for the run.'),
  evaluated_metrics: z.int(),
  total_metrics: z.int(),
  coverage: number.describe('Percent of the metrics that have a threshold.'),
  metrics: z.array(metricSchema).readonly().describe('Worst status first.'),
  only_in_run: z.array(z.string()).readonly(),
  only_in_baseline: z.array(z.string()).readonly(),
});
export type Verdict = z.infer<typeof verdictSchema>;
