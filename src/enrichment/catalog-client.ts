import type { HttpService } from '@nestjs/axios';
import { type AxiosResponse, isAxiosError } from 'axios';
import { BrokenCircuitError, ConsecutiveBreaker, circuitBreaker, handleAll, type IPolicy } from 'cockatiel';
import { inSlices } from '../config/event-loop.js';
import { withoutByteOrderMark } from '../domain/bytes.js';
import { firstLine, MonitorError } from '../domain/errors.js';
import { parseJsonSteps } from '../domain/json-steps.js';
import { hideSecrets } from '../domain/text.js';
import { publish } from '../observability/diagnostics.js';
import { type ProxySettings, proxyFor, proxySecrets } from '../upstream/proxy.js';
import { reportDenied } from '../upstream/report-denied.js';
import { parseRetryAfter } from '../upstream/retry-after.js';
import { RetryableError, withRetries } from '../upstream/retry-policy.js';
import { isRetryableStatus } from '../upstream/retryable-status.js';
import { shortTlsMessage } from '../upstream/tls-message.js';
import {
  adviseCatalogResponse,
  adviseUnreachableCatalog,
  adviseUnreadable,
  type CatalogAccess,
} from './catalog-advice.js';

export interface CatalogClientOptions {
  /** The URL of one API. */
  readonly url: string;
  /** The setting that has it. */
  readonly setting: string;
  readonly apiKey?: string | undefined;
  readonly proxies?: ProxySettings | undefined;
  readonly maxRetries: number;
  /** Time limit of a request, ms. */
  readonly timeoutMs: number;
  readonly maxBytes?: number;
  /** The wait before the first retry, ms. It doubles with each further retry. */
  readonly backoffMs?: number;
  /** How long the circuit breaker stays open, ms. */
  readonly breakMs?: number;
}

/** `maxBytes`: larger than any response for 200 metrics and 200 experiments. */
const DEFAULTS = { maxBytes: 16 * 2 ** 20, backoffMs: 500, breakMs: 30_000 };

const MAX_BACKOFF_MS = 30_000;
/** Also limits `Retry-After`. */
const MAX_WAIT_MS = 120_000;
const JITTER = 0.5;
const MIN_FAILURES = 5;

/** Posts to one catalog API, with retries. A circuit breaker suspends requests to an API that fails repeatedly. */
export class CatalogClient {
  private readonly breaker: IPolicy;
  private readonly options: CatalogClientOptions & typeof DEFAULTS;
  private readonly proxy: ReturnType<typeof proxyFor>;
  private readonly secrets: readonly (string | undefined)[];
  private readonly access: CatalogAccess;

  constructor(
    private readonly http: HttpService,
    options: CatalogClientOptions,
  ) {
    this.options = { ...DEFAULTS, ...options };
    const { url, setting, apiKey, proxies, maxRetries, breakMs } = this.options;
    this.proxy = proxies ? proxyFor(url, proxies) : false;
    this.secrets = [apiKey, ...(this.proxy ? proxySecrets(this.proxy) : [])];
    this.access = { url, setting, hasKey: apiKey !== undefined };
    this.breaker = circuitBreaker(handleAll, {
      halfOpenAfter: breakMs,
      breaker: new ConsecutiveBreaker(Math.max(MIN_FAILURES, maxRetries + 1)),
    });
  }

  /**
   * @param read parses the document of the response; if it throws, the response is unreadable
   * @throws {MonitorError} retryable: `catalog_unreachable`, `catalog_busy`, `catalog_unreadable`, `catalog_away` (the
   * circuit breaker is open); not retryable: `catalog_refused`, `catalog_too_big`
   */
  async post<T>(body: unknown, read: (document: unknown) => T | Promise<T>): Promise<T> {
    const { maxRetries, backoffMs } = this.options;
    const policy = {
      maxRetries,
      firstWaitMs: backoffMs,
      maxBackoffMs: MAX_BACKOFF_MS,
      maxWaitMs: MAX_WAIT_MS,
      jitter: JITTER,
    };
    try {
      return await withRetries(policy, () => this.breaker.execute(() => this.attempt(body, read)));
    } catch (error) {
      if (!(error instanceof BrokenCircuitError)) throw error;
      const advice = 'Wait: the API is asked again soon';
      throw this.error(
        'catalog_away',
        'failed repeatedly, so requests are suspended for a while',
        true,
        advice,
      );
    }
  }

  private async attempt<T>(body: unknown, read: (document: unknown) => T | Promise<T>): Promise<T> {
    let outcome: 'answered' | 'failed' = 'failed';
    try {
      const result = await this.sendOnce(body, read);
      outcome = 'answered';
      return result;
    } catch (error) {
      if (!(error instanceof MonitorError && error.retryable)) throw error;
      throw new RetryableError(error, parseRetryAfter(error.context.retryAfter, Date.now()));
    } finally {
      publish({ type: 'request', upstream: 'catalog', outcome });
    }
  }

  private async sendOnce<T>(body: unknown, read: (document: unknown) => T | Promise<T>): Promise<T> {
    const { status, headers, data } = await this.request(body);
    if (status < 200 || status > 299) {
      const location =
        status < 400 && headers.location
          ? ` to ${hideSecrets(String(headers.location), this.secrets)}, which is not followed`
          : '';
      const retryable = isRetryableStatus(status);
      const text = excerptOf(data, this.secrets);
      reportDenied('catalog', status);
      throw this.error(
        retryable ? 'catalog_busy' : 'catalog_refused',
        `responded with ${status}${location}${text && `: ${text}`}`,
        retryable,
        adviseCatalogResponse(status, this.access),
        { status, retryAfter: headers['retry-after'] },
      );
    }
    try {
      return await read(await inSlices(parseJsonSteps(withoutByteOrderMark(data))));
    } catch (error) {
      // The parser quotes what it cannot read, from the middle of a secret too.
      const reason = this.repeatsSecrets(data) ? 'it repeats the credentials' : firstLine(error);
      const advice = adviseUnreadable(this.access);
      throw this.error('catalog_unreadable', `sent an unreadable response: ${reason}`, true, advice);
    }
  }

  private repeatsSecrets(data: Buffer): boolean {
    const text = data.toString();
    return hideSecrets(text, this.secrets) !== text;
  }

  private async request(body: unknown): Promise<AxiosResponse<Buffer>> {
    const { url, apiKey, timeoutMs, maxBytes } = this.options;
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      return await this.http.axiosRef.post<Buffer>(url, body, {
        headers: { accept: 'application/json', ...(apiKey ? { authorization: `Bearer ${apiKey}` } : {}) },
        responseType: 'arraybuffer',
        validateStatus: () => true,
        // A redirect would send the API key to another server.
        maxRedirects: 0,
        maxContentLength: maxBytes,
        proxy: this.proxy,
        signal,
      });
    } catch (error) {
      if (isAxiosError(error) && error.message.startsWith('maxContentLength')) {
        throw this.error(
          'catalog_too_big',
          `sent more than ${maxBytes} bytes`,
          false,
          adviseUnreadable(this.access),
        );
      }
      const reason = signal.aborted
        ? `no complete response within ${timeoutMs / 1000} s`
        : shortTlsMessage(firstLine(error));
      const advice = adviseUnreachableCatalog(signal.aborted ? undefined : error, this.access);
      throw this.error('catalog_unreachable', `is unreachable: ${reason}`, true, advice);
    }
  }

  private error(
    code: string,
    problem: string,
    retryable: boolean,
    advice: string,
    context: Readonly<Record<string, unknown>> = {},
  ): MonitorError {
    const { url } = this.options;
    return new MonitorError(code, `The catalog at ${url} ${problem}`, { url, ...context }, retryable, {
      advice,
    });
  }
}

/** The beginning of a response, for a message. More is read than is shown: a secret that is cut off would not be found. */
const excerptOf = (data: Buffer, secrets: readonly (string | undefined)[]): string =>
  hideSecrets(data.toString('utf8', 0, 64 * 1024), secrets)
    .replaceAll(/\s+/g, ' ')
    .trim()
    .slice(0, 200);
