import { setTimeout as sleep } from 'node:timers/promises';
import { S3Client } from '@aws-sdk/client-s3';
import { publish } from '../observability/diagnostics.js';
import { StoreError } from './errors.js';
import { outcomeOf, retryAfter, storeErrorOf } from './s3-errors.js';

export interface S3RequestOptions {
  /** For messages. */
  readonly description: string;
  /** Unset: Amazon's own. */
  readonly endpoint?: string | undefined;
  /** Unset: as the SDK finds it; for another endpoint than Amazon's, `us-east-1`. */
  readonly region?: string | undefined;
  readonly pathStyle: boolean;
  readonly checksumMode: 'WHEN_SUPPORTED' | 'WHEN_REQUIRED';
  readonly maxRetries: number;
  /** The longest silence within a request. */
  readonly timeoutMs: number;
  readonly pause?: ((ms: number, signal: AbortSignal) => Promise<unknown>) | undefined;
}

/** Time for a transfer on top of the allowed silence: whoever is slower over the whole is given up. */
const SLOWEST_BYTES_PER_SECOND = 256 * 1024;
const LONGEST_CONNECT_MS = 10_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 20_000;
const LONGEST_ASKED_PAUSE_MS = 60_000;
const SILENT = { trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet };
function quiet(): void {}

/** One request, from its first byte to the last of its answer. */
export interface S3Request {
  readonly client: S3Client;
  readonly abortSignal: AbortSignal;
  /** Ends it with this error. */
  abort(error: Error): void;
  /** Gives it the time for a body of so many bytes. */
  allow(bytes: number): void;
}

/** Sends requests that end in bounded time, and repeats what may have failed on the way. */
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
      // The attempts are counted here, where the reading of a body belongs to them.
      maxAttempts: 1,
      // Would open a connection of its own for each body, which no close reaches.
      expectContinueHeader: false,
      requestHandler: {
        connectionTimeout: Math.min(timeoutMs, LONGEST_CONNECT_MS),
        socketTimeout: timeoutMs,
      },
      // Without a logger the SDK writes to the console.
      logger: SILENT,
      ...(endpoint ? { endpoint } : {}),
      ...(region ? { region } : endpoint ? { region: 'us-east-1' } : {}),
    });
  }

  /** @param bytes that the request carries */
  async once<T>(bytes: number, work: (request: S3Request) => Promise<T>): Promise<T> {
    this.closing.signal.throwIfAborted();
    const { timeoutMs } = this.options;
    const controller = new AbortController();
    const abort = (error: Error): void => controller.abort(error);
    let timer: NodeJS.Timeout | undefined;
    const allow = (more: number): void => {
      clearTimeout(timer);
      const ms = timeoutMs + (more / SLOWEST_BYTES_PER_SECOND) * 1000;
      timer = setTimeout(() => abort(new Error(`no end after ${Math.round(ms / 1000)} s`)), ms);
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
   * Makes attempts until one has a clear outcome, or there were `maxRetries` more.
   * @throws {StoreError} in place of every error of the SDK; retryable if the last outcome was unclear
   */
  async repeat<T>(action: string, key: string, attempt: () => Promise<T>): Promise<T> {
    const { description, maxRetries, pause = defaultPause } = this.options;
    for (let n = 0; ; n++) {
      try {
        const result = await attempt();
        publish({ type: 'request', upstream: 'store', outcome: 'answered' });
        return result;
      } catch (error) {
        if (this.closing.signal.aborted) throw closed(description, action, key);
        const unclear = outcomeOf(error) === 'unclear';
        publish({ type: 'request', upstream: 'store', outcome: unclear ? 'failed' : 'answered' });
        if (n >= maxRetries || !unclear) {
          throw storeErrorOf(error, description, action, key);
        }
        const asked = retryAfter(error, Date.now());
        const backoff = Math.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** n);
        try {
          await pause(
            asked === undefined ? backoff : Math.min(asked, LONGEST_ASKED_PAUSE_MS),
            this.closing.signal,
          );
        } catch {
          throw closed(description, action, key);
        }
      }
    }
  }

  /** Ends what is under way, and all connections. */
  close(): void {
    this.closing.abort();
    for (const controller of this.running) controller.abort();
    this.client.destroy();
  }
}

const defaultPause = (ms: number, signal: AbortSignal): Promise<void> => sleep(ms, undefined, { signal });

const closed = (description: string, action: string, key: string): StoreError =>
  new StoreError('store_closed', `${description} was closed during ${action} of ${key}`, { key }, true);
