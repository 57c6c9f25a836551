import { AsyncLocalStorage } from 'node:async_hooks';

/** The fields that every log line of a job carries. */
export type LogContext = {
  readonly pipeline_run_id: string;
  readonly job_id: string;
};

const storage = new AsyncLocalStorage<Partial<LogContext> & LogFields>();

/** Adds the context to all log lines of `work`, also of the asynchronous work that it starts. */
export const withLogContext = <T>(context: LogContext, work: () => T): T => storage.run({ ...context }, work);

/** More fields of a JSON line, besides those of its job. docs/operations.md lists them. */
export type LogFields = Readonly<Record<string, string | number | null>>;

/** Adds fields to the log lines of `work`. @param job whether the lines belong to the job around this call */
export function withLogFields(fields: LogFields, work: () => void, job = true): void {
  const context = job ? storage.getStore() : undefined;
  storage.run({ ...fields, ...context }, work);
}

/** `undefined` outside a job and without fields. */
export const logContext = (): (Partial<LogContext> & LogFields) | undefined => storage.getStore();
