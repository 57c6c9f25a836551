import { MonitorError, ownMessage } from '../domain/errors.js';
import { type OccurredError, publish } from './diagnostics.js';

/** What was done when an error occurred. */
export interface Failure {
  /** The stage or other work, such as `alerts`; null if the message says it. */
  readonly stage: string | null;
  /** By default the one that the error names. */
  readonly upstream?: string;
  /** Precedes the message of the error, with a colon. */
  readonly prefix?: string;
}

/** Counts an error, which is logged when it first occurs and then once a minute: see `RepeatedErrors`. */
export function reportError(error: unknown, { stage, upstream, prefix }: Failure): void {
  const described = describeError(error);
  const message = prefix === undefined ? described.message : `${prefix}: ${described.message}`;
  const where = { upstream: upstream ?? described.upstream, experiment_id: null, stage, attempt: null };
  publish({ type: 'error', error: { ...described, ...where, message } });
}

/** What an error says about itself. */
export function describeError(
  error: unknown,
): Pick<OccurredError, 'code' | 'upstream' | 'message' | 'advice'> {
  const known = error instanceof MonitorError ? error : undefined;
  return {
    code: known?.code ?? 'unexpected',
    upstream: known ? upstreamOf(known) : 'service',
    message: ownMessage(error),
    advice: known?.advice ?? null,
  };
}

const STORE_ERRORS: readonly string[] = ['StoreError', 'PreconditionFailedError'];

/** Of what its name does not say. */
const MLFLOW_CODES: readonly string[] = ['no_workspaces', 'page_too_big', 'other_source', 'tls_file'];

/** What did not work, by the error. */
function upstreamOf({ name, code }: MonitorError): string {
  if (STORE_ERRORS.includes(name)) return 'store';
  if (MLFLOW_CODES.includes(code)) return 'mlflow';
  const [service = ''] = code.split('_');
  return ['mlflow', 'catalog', 'store', 'queue'].includes(service) ? service : 'service';
}
