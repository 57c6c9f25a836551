import { S3Client } from '@aws-sdk/client-s3';
import { publish } from '../observability/diagnostics.js';
import { reportDenied } from '../upstream/report-denied.js';
import { parseRetryAfter } from '../upstream/retry-after.js';
import { RetryableError, type Sleep, withRetries } from '../upstream/retry-policy.js';
import { StoreError } from './errors.js';
import { outcomeOf, retryAfterHeader, statusOf, storeErrorOf } from './s3-errors.js';

export interface S3RequestOptions {
  /** For messages. */
  readonly description: string;
  /** Amazon's own by default. */
  readonly endpoint?: string | undefined;
  /** By default that of the SDK's configuration; with an `endpoint`, `us-east-1`. */
  readonly region?: string | undefined;
  readonly pathStyle: boolean;
  readonly checksumMode: 'WHEN_SUPPORTED' | 'WHEN_REQUIRED';
  readonly maxRetries: number;
  /** How long a request may transfer no data. */
  readonly timeoutMs: number;
  readonly pause?: Sleep | undefined;
}

/** Extends the time limit of a request by the size of its body; slower transfers time out. */
const MIN_BYTES_PER_SECOND = 256 * 1024;
const MAX_CONNECT_MS = 10_000;
const RETRIES = { firstWaitMs: 100, maxBackoffMs: 20_000, maxWaitMs: 60_000, jitter: 1 };
const SILENT = { trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet };
function quiet(): void {}

/** One request, until the last byte of its response. */
export interface S3Request {
  readonly client: S3Client;
  readonly abortSignal: AbortSignal;
  /** Makes the request fail with this error. */
  abort(error: Error): void;
  /** Restarts the time limit, with time for a body of this size. */
  allow(bytes: number): void;
}

/** Sends requests with a time limit, and retries those with an ambiguous outcome. */
export class S3Requests {
  private readonly client: S3Client;
  private readonly running = new Set<AbortController>();
  private readonly closing = new AbortController();

  constructor(private readonly options: S3RequestOptions) {
    const { endpoint, region, pathStyle, checksumMode, timeoutMs } = options;
    this.client = new S3Client({
      forcePathStyle: pathStyle,
      requestChecksumCalculation: checksumMode,
      responseChecksumValidation: checksumMode,
      // The SDK's own retries would not cover reading the body.
      maxAttempts: 1,
      // With this header the SDK opens a separate connection for each body, which `close` does not reach.
      expectContinueHeader: false,
      requestHandler: {
        connectionTimeout: Math.min(timeoutMs, MAX_CONNECT_MS),
        socketTimeout: timeoutMs,
      },
      // Without a logger the SDK writes to the console.
      logger: SILENT,
      ...(endpoint ? { endpoint } : {}),
      ...(region ? { region } : endpoint ? { region: 'us-east-1' } : {}),
    });
  }

  /** Makes one attempt. @param bytes the size of its body */
  async once<T>(bytes: number, work: (request: S3Request) => Promise<T>): Promise<T> {
    this.closing.signal.throwIfAborted();
    const { timeoutMs } = this.options;
    const controller = new AbortController();
    const abort = (error: Error): void => controller.abort(error);
    let timer: NodeJS.Timeout | undefined;
    const allow = (more: number): void => {
      clearTimeout(timer);
      const ms = timeoutMs + (more / MIN_BYTES_PER_SECOND) * 1000;
      timer = setTimeout(() => abort(new Error(`timed out after ${Math.round(ms / 1000)} s`)), ms);
    };
    this.running.add(controller);
    try {
      allow(bytes);
      return await work({ client: this.client, abortSignal: controller.signal, abort, allow });
    } catch (error) {
      throw controller.signal.aborted ? controller.signal.reason : error;
    } finally {
      clearTimeout(timer);
      this.running.delete(controller);
    }
  }

  /**
   * Makes attempts until the outcome is known or the retries are used up.
   * @throws {StoreError} in place of every error of the SDK; retryable if the last outcome was ambiguous
   */
  async withRetries<T>(action: string, key: string, attempt: () => Promise<T>): Promise<T> {
    const { description, endpoint, maxRetries, pause } = this.options;
    const { signal } = this.closing;
    try {
      return await withRetries({ ...RETRIES, maxRetries, signal, sleep: pause }, () =>
        this.classify(attempt),
      );
    } catch (error) {
      if (!signal.aborted)
        throw storeErrorOf(error, description, action, key, await this.secretsOf(error), endpoint);
      const message = `${description} was closed during ${action} of ${key}`;
      throw new StoreError('store_closed', message, { key }, true);
    }
  }

  /** What a response may repeat. */
  private async secretsOf(error: unknown): Promise<(string | undefined)[]> {
    if (statusOf(error) === undefined) return [];
    const found = await this.client.config.credentials().catch(() => undefined);
    return [found?.secretAccessKey, found?.sessionToken];
  }

  private async classify<T>(attempt: () => Promise<T>): Promise<T> {
    try {
      const result = await attempt();
      publish({ type: 'request', upstream: 'store', outcome: 'answered' });
      return result;
    } catch (error) {
      if (this.closing.signal.aborted) throw error;
      const ambiguous = outcomeOf(error) === 'ambiguous';
      publish({ type: 'request', upstream: 'store', outcome: ambiguous ? 'failed' : 'answered' });
      reportDenied('store', statusOf(error));
      if (!ambiguous) throw error;
      throw new RetryableError(error, parseRetryAfter(retryAfterHeader(error), Date.now()));
    }
  }

  /** Aborts the running requests and closes all connections. */
  close(): void {
    this.closing.abort();
    for (const controller of this.running) controller.abort();
    this.client.destroy();
  }
}
