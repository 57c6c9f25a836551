import type { HttpService } from '@nestjs/axios';
import { type AxiosResponse, isAxiosError } from 'axios';
import {
  BrokenCircuitError,
  ConsecutiveBreaker,
  circuitBreaker,
  DelegateBackoff,
  handleAll,
  handleWhen,
  type IPolicy,
  type IRetryBackoffContext,
  retry,
  wrap,
} from 'cockatiel';
import { firstLine, MonitorError } from '../domain/errors.js';
import { publish } from '../observability/diagnostics.js';

export interface CatalogClientOptions {
  /** The address of one API, to which the bodies are posted. */
  readonly url: string;
  readonly apiKey?: string | undefined;
  readonly maxRetries: number;
  /** The longest that one request may take, ms. */
  readonly timeoutMs: number;
  readonly maxBytes?: number;
  /** The wait before the first retry, ms; each further one is twice as long. */
  readonly backoffMs?: number;
  /** How long an API that failed again and again is left alone, ms. */
  readonly breakMs?: number;
}

/** `maxBytes`: more than any answer to 200 metrics and 200 experiments. */
const DEFAULTS = { maxBytes: 16 * 2 ** 20, backoffMs: 500, breakMs: 30_000 };

const RETRIED = new Set([408, 429, 500, 502, 503, 504]);
const LONGEST_BACKOFF_MS = 30_000;
/** A server that wants more than this is asked again all the same. */
const LONGEST_WAIT_MS = 120_000;
const FEWEST_FAILURES = 5;

/** Posts to one catalog API: with retries, and behind a breaker that leaves an API alone which fails again and again. */
export class CatalogClient {
  private readonly policy: IPolicy;
  private readonly options: CatalogClientOptions & typeof DEFAULTS;

  constructor(
    private readonly http: HttpService,
    options: CatalogClientOptions,
  ) {
    this.options = { ...DEFAULTS, ...options };
    const { maxRetries, breakMs } = this.options;
    this.policy = wrap(
      retry(
        handleWhen((error) => error instanceof MonitorError && error.retryable),
        {
          maxAttempts: maxRetries,
          backoff: new DelegateBackoff((context: IRetryBackoffContext<unknown>) => this.backoff(context)),
        },
      ),
      circuitBreaker(handleAll, {
        halfOpenAfter: breakMs,
        breaker: new ConsecutiveBreaker(Math.max(FEWEST_FAILURES, maxRetries + 1)),
      }),
    );
  }

  /**
   * @param read reads the document of the answer; what it throws makes the answer unreadable
   * @throws {MonitorError} `catalog_unreachable`, `catalog_busy`, `catalog_unreadable`, `catalog_away`: it may answer
   * later; `catalog_refused`, `catalog_too_big`: it will not by itself
   */
  async post<T>(body: unknown, read: (document: unknown) => T): Promise<T> {
    try {
      return await this.policy.execute(() => this.counted(body, read));
    } catch (error) {
      if (!(error instanceof BrokenCircuitError)) throw error;
      throw this.error('catalog_away', 'has failed again and again and is left alone for a while', true);
    }
  }

  private async counted<T>(body: unknown, read: (document: unknown) => T): Promise<T> {
    let outcome: 'answered' | 'failed' = 'failed';
    try {
      const answer = await this.once(body, read);
      outcome = 'answered';
      return answer;
    } finally {
      publish({ type: 'request', upstream: 'catalog', outcome });
    }
  }

  private async once<T>(body: unknown, read: (document: unknown) => T): Promise<T> {
    const { status, headers, data } = await this.send(body);
    if (status < 200 || status > 299) {
      const location =
        status < 400 && headers.location ? ` to ${headers.location}, which is not followed` : '';
      const retryable = RETRIED.has(status);
      throw this.error(
        retryable ? 'catalog_busy' : 'catalog_refused',
        `answers ${status}${location}: ${data.replaceAll(/\s+/g, ' ').slice(0, 200)}`,
        retryable,
        { status, retryAfter: headers['retry-after'] },
      );
    }
    try {
      return read(JSON.parse(data));
    } catch (error) {
      throw this.error('catalog_unreadable', `sends what cannot be read: ${firstLine(error)}`, true);
    }
  }

  private async send(body: unknown): Promise<AxiosResponse<string>> {
    const { url, apiKey, timeoutMs, maxBytes } = this.options;
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      return await this.http.axiosRef.post<string>(url, body, {
        headers: { accept: 'application/json', ...(apiKey ? { authorization: `Bearer ${apiKey}` } : {}) },
        responseType: 'text',
        transformResponse: (text: unknown) => text,
        validateStatus: () => true,
        // A redirect would take the key to somebody else.
        maxRedirects: 0,
        maxContentLength: maxBytes,
        proxy: false,
        signal,
      });
    } catch (error) {
      if (isAxiosError(error) && error.message.startsWith('maxContentLength')) {
        throw this.error('catalog_too_big', `sends more than ${maxBytes} bytes`, false);
      }
      const reason = signal.aborted ? `no whole answer within ${timeoutMs / 1000} s` : firstLine(error);
      throw this.error('catalog_unreachable', `does not answer: ${reason}`, true);
    }
  }

  private error(
    code: string,
    what: string,
    retryable: boolean,
    context: Readonly<Record<string, unknown>> = {},
  ): MonitorError {
    const { url } = this.options;
    return new MonitorError(code, `The catalog at ${url} ${what}`, { url, ...context }, retryable);
  }

  private backoff({ attempt, result }: IRetryBackoffContext<unknown>): number {
    const failed = 'error' in result && result.error instanceof MonitorError ? result.error.context : {};
    const asked = parseRetryAfter(failed.retryAfter, Date.now());
    const backoff = Math.min(this.options.backoffMs * 2 ** (attempt - 1), LONGEST_BACKOFF_MS);
    return Math.min(asked ?? backoff * (0.5 + Math.random() / 2), LONGEST_WAIT_MS);
  }
}

/**
 * The wait that a `Retry-After` header asks for, ms: seconds or an HTTP date.
 * @returns undefined: it asks for none
 */
export function parseRetryAfter(header: unknown, now: number): number | undefined {
  if (typeof header !== 'string' || header.trim() === '') return undefined;
  const ms = /^\s*\d+\s*$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isNaN(ms) ? undefined : Math.max(ms, 0);
}
