import { AsyncLocalStorage } from 'node:async_hooks';

/** The fields that every log line of a job carries. */
export interface LogContext {
  readonly pipeline_run_id: string;
  readonly job_id: string;
}

const storage = new AsyncLocalStorage<LogContext>();

/** Adds the context to all log lines of `work`, also of the asynchronous work that it starts. */
export const withLogContext = <T>(context: LogContext, work: () => T): T => storage.run(context, work);

/** `undefined` outside a job. */
export const logContext = (): LogContext | undefined => storage.getStore();
