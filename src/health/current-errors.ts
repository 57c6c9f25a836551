import { z } from 'zod';
import { escapeControls } from '../domain/text.js';
import type { RepeatedError } from '../observability/repeated-errors.js';

const instant = z.iso.datetime();

/** A current error of the service, with what to do. */
const currentErrorSchema = z.object({
  code: z.string(),
  /** `mlflow`, `catalog`, `store`, `queue`, `alerts` or `service`. */
  upstream: z.string(),
  experiment_id: z.string().nullable(),
  /** The stage of a pipeline run, or other work. */
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

const VALIDATE = 'Run mlflow-monitor validate: it says what to change.';

/** What to do if the error itself does not say it, by code. */
const BY_CODE: Readonly<Record<string, string>> = {
  experiment_refused:
    'Let the account of the service read the experiment in MLflow, or exclude it with EXPERIMENT_EXCLUDE. All other experiments are read.',
  other_source: 'Set MLFLOW_TRACKING_URI to the server that this store belongs to, or use another store.',
  page_too_big: 'Raise MAX_PAGE_MB, or exclude the experiment with EXPERIMENT_EXCLUDE.',
};

/** By what does not work: what to do if the error does not say it, and what follows then. */
const BY_UPSTREAM: Readonly<Record<string, readonly [todo: string, then: string]>> = {
  mlflow: [VALIDATE, 'Reading continues by itself once MLflow responds.'],
  catalog: [VALIDATE, 'Until the catalog responds, the stored thresholds apply.'],
  store: [VALIDATE, 'Work continues by itself once the store responds.'],
  queue: [VALIDATE, 'Jobs resume by themselves once Redis responds.'],
  alerts: [
    'Send a test message to find the cause: mlflow-monitor alerts test <route>.',
    'GET /api/v1/alerts/messages shows what was not delivered.',
  ],
  service: [
    'The message names the cause.',
    'If it recurs, look at the log lines of the stage with LOG_LEVEL=debug.',
  ],
};

function whatToDo({ code, upstream, advice }: RepeatedError): string {
  if (advice === null && BY_CODE[code] !== undefined) return BY_CODE[code];
  const [todo, then] = BY_UPSTREAM[upstream] ?? ['', ''];
  return `${advice === null ? todo : `${advice}.`} ${then}`.trim();
}

/** For people: without control characters. Secrets are struck out where an error is made. */
export const describeErrors = (errors: readonly RepeatedError[]): CurrentError[] =>
  errors.map((error) => {
    const { first, last, message, advice: _, ...rest } = error;
    return {
      ...rest,
      message: escapeControls(message),
      first: new Date(first).toISOString(),
      last: new Date(last).toISOString(),
      what_to_do: escapeControls(whatToDo(error)),
    };
  });
