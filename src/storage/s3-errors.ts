import { hideSecrets } from '../domain/text.js';
import { isRetryableStatus } from '../upstream/retryable-status.js';
import { shortTlsMessage } from '../upstream/tls-message.js';
import { PreconditionFailedError, StoreError } from './errors.js';
import { adviseS3 } from './store-advice.js';

/** The relevant part of an SDK error: a response of the store has a status, an earlier failure has none. */
interface S3Failure {
  readonly name?: string;
  readonly message?: string;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly clockSkewCorrected?: boolean };
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
}

/**
 * - `not_found`: there is no such object
 * - `condition_failed`: the condition of a put did not hold
 * - `ambiguous`: the store may or may not have executed the request; a retry may succeed
 * - `rejected`: the store did not execute the request, and a retry will not help
 */
export type Outcome = 'not_found' | 'condition_failed' | 'ambiguous' | 'rejected';

/** A concurrent conditional put; S3 documents a retry (`ConditionalRequestConflict`). */
const CONFLICT = 409;
/** Client errors by status, although the network damaged or delayed the request. */
const AMBIGUOUS_NAMES = new Set([
  'BadDigest',
  'IncompleteBody',
  'NoSuchUpload',
  'RequestTimeout',
  'XAmzContentChecksumMismatch',
  'XAmzContentSHA256Mismatch',
]);

/** Of a request; it is valid for some minutes. */
const SIGNATURE = /(Signature=)[0-9a-f]+/gi;
/** What the SDK writes before the message of an error of the network. */
const SDK_PREFIX = /^AWS SDK error wrapper for (Error: )?/;

const failureOf = (error: unknown): S3Failure => (typeof error === 'object' && error !== null ? error : {});

export function outcomeOf(error: unknown): Outcome {
  if (error instanceof StoreError) return 'rejected';
  const { name = '', $metadata } = failureOf(error);
  const status = $metadata?.httpStatusCode;
  // An unreadable success is the page of a proxy.
  if (status === undefined || status < 300 || $metadata?.clockSkewCorrected) return 'ambiguous';
  if (isRetryableStatus(status) || status === CONFLICT || AMBIGUOUS_NAMES.has(name)) return 'ambiguous';
  if (status === 404 && (name === 'NoSuchKey' || name === 'NotFound')) return 'not_found';
  return status === 412 ? 'condition_failed' : 'rejected';
}

/** The HTTP status of the store's response; `undefined` if there was none. */
export const statusOf = (error: unknown): number | undefined => failureOf(error).$metadata?.httpStatusCode;

/** The store's `Retry-After` header, if it sent one. */
export const retryAfterHeader = (error: unknown): string | undefined =>
  failureOf(error).$response?.headers?.['retry-after'];

/**
 * Converts an error of the SDK, which would keep the signed request alive and could leak it into a log.
 * @param store the store's description
 * @param secrets what requests are authorized with: stores and proxies may repeat it
 * @param endpoint `S3_ENDPOINT`
 */
export function storeErrorOf(
  error: unknown,
  store: string,
  action: string,
  key: string,
  secrets: readonly (string | undefined)[] = [],
  endpoint?: string,
): StoreError {
  if (error instanceof StoreError) return error;
  const outcome = outcomeOf(error);
  if (outcome === 'condition_failed') return new PreconditionFailedError(key);
  const { name: ownName = '', message: ownMessage = String(error), $metadata } = failureOf(error);
  const shown = (text: string) => hideSecrets(text, secrets).replaceAll(SIGNATURE, '$1***');
  const [name, message] = [shown(ownName), shown(shortTlsMessage(ownMessage.replace(SDK_PREFIX, '')))];
  const status = $metadata?.httpStatusCode;
  const reason = status === undefined ? message || name : `${status} ${name}: ${message}`;
  const code = codeOf(status, name, outcome);
  return new StoreError(
    code,
    `Cannot ${action} ${key || 'the objects'} of ${store}: ${reason.slice(0, 300)}`,
    { key, action, ...(status === undefined ? {} : { status }), name },
    outcome === 'ambiguous',
    { advice: adviseS3({ code, name, message, action, endpoint }) },
  );
}

function codeOf(status: number | undefined, name: string, outcome: Outcome): string {
  if (name === 'CredentialsProviderError') return 'store_credentials';
  if (name === 'NoSuchBucket') return 'store_no_bucket';
  if (status === 401 || status === 403) return 'store_denied';
  if (outcome !== 'ambiguous') return 'store_refused';
  return status === undefined ? 'store_unreachable' : 'store_busy';
}
