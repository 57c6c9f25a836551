import { AsyncLocalStorage } from 'node:async_hooks';

/** What every log line names of the work it belongs to. */
export interface LogContext {
  readonly pipeline_run_id: string;
  readonly job_id: string;
}

const storage = new AsyncLocalStorage<LogContext>();

export const withLogContext = <T>(context: LogContext, work: () => T): T => storage.run(context, work);

export const logContext = (): LogContext | undefined => storage.getStore();
