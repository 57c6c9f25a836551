import { z } from 'zod';
import { escapeControls } from '../domain/text.js';
import type { RepeatedError } from '../observability/repeated-errors.js';

const instant = z.iso.datetime();

/** A current error of the service, with what to do. */
const currentErrorSchema = z.object({
  code: z.string(),
  /** `mlflow`, `catalog`, `store` or `service`. */
  upstream: z.string(),
  experiment_id: z.string().nullable(),
  stage: z.string().nullable(),
  /** Of the last occurrence. */
  message: z.string(),
  /** The number of the last attempt; null if that does not apply. */
  attempt: z.int().nullable(),
  count: z.int(),
  first: instant,
  last: instant,
  what_to_do: z.string(),
});
export type CurrentError = z.infer<typeof currentErrorSchema>;

export const currentErrorsSchema = z.object({ errors: z.array(currentErrorSchema) });

/** By code, else by upstream. */
const ADVICE: Readonly<Record<string, string>> = {
  experiment_refused:
    'Let the account of the service read the experiment in MLflow, or exclude it with EXPERIMENT_EXCLUDE. All other experiments are read.',
  other_source: 'Set MLFLOW_TRACKING_URI to the server that this store belongs to, or use another store.',
  page_too_big: 'Raise MAX_PAGE_MB, or exclude the experiment with EXPERIMENT_EXCLUDE.',
  mlflow:
    'Run mlflow-monitor validate: it says what to change. Reading goes on by itself once MLflow responds.',
  catalog:
    'Run mlflow-monitor validate: it says what to change. Until the catalog responds, the stored thresholds apply.',
  store:
    'Run mlflow-monitor validate: it tries each permission. Work goes on by itself once the store responds.',
  service:
    'The message names the cause. If it recurs, look at the log lines of the stage with LOG_LEVEL=debug.',
};

/** For people: without control characters. Secrets are struck out where an error is made. */
export const describeErrors = (errors: readonly RepeatedError[]): CurrentError[] =>
  errors.map(({ first, last, message, ...error }) => ({
    ...error,
    message: escapeControls(message),
    first: new Date(first).toISOString(),
    last: new Date(last).toISOString(),
    what_to_do: ADVICE[error.code] ?? ADVICE[error.upstream] ?? '',
  }));
