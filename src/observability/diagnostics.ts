import { channel } from 'node:diagnostics_channel';

export const ATTEMPT_OUTCOMES = ['delivered', 'retry', 'failed', 'gone', 'wait', 'skipped'] as const;

/** An error, and where it occurred. */
export interface OccurredError {
  readonly code: string;
  /** What did not work: `mlflow`, `catalog`, `store`, `queue`, `alerts` (their delivery), or `service` itself. */
  readonly upstream: string;
  readonly experiment_id: string | null;
  /** The stage of a pipeline run, or other work. */
  readonly stage: string | null;
  /** Of the last occurrence. */
  readonly message: string;
  /** What to change, as `MonitorError` has it. */
  readonly advice: string | null;
  readonly attempt: number | null;
}

/** What lower layers report to the metrics and to the list of errors, without depending on them. */
export type DiagnosticsEvent =
  /** One request to an upstream; `failed`: no usable response. A rejection of the request's content is a response. */
  | {
      readonly type: 'request';
      readonly upstream: 'mlflow' | 'catalog' | 'store';
      readonly outcome: 'answered' | 'failed';
      /** Why it failed, with what to do. */
      readonly error?: { readonly code: string; readonly message: string };
    }
  /** An upstream denied a request: 401 or 403. */
  | { readonly type: 'denied'; readonly upstream: 'mlflow' | 'catalog' | 'store' }
  /** A conditional put lost the race against another writer and starts over. */
  | { readonly type: 'store_conflict'; readonly object: 'dataset' | 'state' }
  /** An attempt to deliver a message of alerts. */
  | {
      readonly type: 'alert_attempt';
      readonly channel: string;
      readonly outcome: (typeof ATTEMPT_OUTCOMES)[number];
    }
  /** This process may deliver through this type of channel. */
  | { readonly type: 'alert_channel'; readonly channel: string }
  /** An evaluation changed an incident. */
  | { readonly type: 'alert_transition'; readonly change: string; readonly severity: string }
  /** A job was found whose process does not work on it any more. */
  | { readonly type: 'job_stalled'; readonly queue: string }
  /** Work that will be tried again has failed: see `reportError`. */
  | { readonly type: 'error'; readonly error: OccurredError }
  /** A put ended without a response that says whether it was carried out. */
  | { readonly type: 'store_unclear' };

const diagnostics = channel('mlflow-monitor');

/** Calls every subscriber before it returns. */
export function publish(event: DiagnosticsEvent): void {
  diagnostics.publish(event);
}

/** @returns a function that unsubscribes */
export function subscribe(handle: (event: DiagnosticsEvent) => void): () => void {
  const onMessage = (message: unknown) => handle(message as DiagnosticsEvent);
  diagnostics.subscribe(onMessage);
  return () => diagnostics.unsubscribe(onMessage);
}
