import { PreconditionFailedError, StoreError } from './errors.js';

/** What decides of an error of the SDK: an answer of the store has a status, whatever went wrong before has none. */
interface S3Failure {
  readonly name?: string;
  readonly message?: string;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly clockSkewCorrected?: boolean };
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
}

/**
 * - `absent`: there is no such object
 * - `lost`: a condition did not hold
 * - `unclear`: the request may have been carried out or not; the next one may succeed
 * - `refused`: it was not carried out, and the next one will not be either
 */
export type Outcome = 'absent' | 'lost' | 'unclear' | 'refused';

const UNCLEAR_STATUS = new Set([408, 409, 429, 500, 502, 503, 504]);
/** Answers with the status of a mistake of ours, where it was the way that damaged or delayed the request. */
const UNCLEAR_NAME = new Set([
  'BadDigest',
  'IncompleteBody',
  'NoSuchUpload',
  'RequestTimeout',
  'XAmzContentChecksumMismatch',
  'XAmzContentSHA256Mismatch',
]);

const failureOf = (error: unknown): S3Failure => (typeof error === 'object' && error !== null ? error : {});

export function outcomeOf(error: unknown): Outcome {
  if (error instanceof StoreError) return 'refused';
  const { name = '', $metadata } = failureOf(error);
  const status = $metadata?.httpStatusCode;
  // A success that cannot be read: the page of a proxy.
  if (status === undefined || status < 300 || $metadata?.clockSkewCorrected) return 'unclear';
  if (UNCLEAR_STATUS.has(status) || UNCLEAR_NAME.has(name)) return 'unclear';
  if (status === 404 && (name === 'NoSuchKey' || name === 'NotFound')) return 'absent';
  return status === 412 ? 'lost' : 'refused';
}

/** The wait that the store asks for with `Retry-After`, seconds or a date; ms. */
export function retryAfter(error: unknown, now: number): number | undefined {
  const header = failureOf(error).$response?.headers?.['retry-after'];
  if (header === undefined) return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isFinite(ms) ? Math.max(ms, 0) : undefined;
}

/**
 * The error of this service in place of one of the SDK, which holds on to the request with its signature.
 * @param store the store's description
 */
export function storeErrorOf(error: unknown, store: string, action: string, key: string): StoreError {
  if (error instanceof StoreError) return error;
  const outcome = outcomeOf(error);
  if (outcome === 'lost') return new PreconditionFailedError(key);
  const { name = '', message = String(error), $metadata } = failureOf(error);
  const status = $metadata?.httpStatusCode;
  const answer = status === undefined ? message : `${status} ${name}: ${message}`;
  return new StoreError(
    codeOf(status, name, outcome),
    `Cannot ${action} ${key || 'the objects'} of ${store}: ${answer.slice(0, 300)}`,
    { key, action, ...(status === undefined ? {} : { status }), name },
    outcome === 'unclear',
  );
}

function codeOf(status: number | undefined, name: string, outcome: Outcome): string {
  if (name === 'CredentialsProviderError') return 'store_credentials';
  if (name === 'NoSuchBucket') return 'store_no_bucket';
  if (status === 401 || status === 403) return 'store_denied';
  if (outcome !== 'unclear') return 'store_refused';
  return status === undefined ? 'store_unreachable' : 'store_busy';
}
