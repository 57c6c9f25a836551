import type { Agent as HttpAgent } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { HttpService } from '@nestjs/axios';
import { errorMessage, MonitorError } from '../domain/errors.js';
import type { ResponseTime } from '../domain/merge-precedence.js';
import { publish } from '../observability/diagnostics.js';
import { type ProxySettings, proxyAddress, proxyFor, proxySecrets } from '../upstream/proxy.js';
import { reportDenied } from '../upstream/report-denied.js';
import { RequestLimit } from '../upstream/request-limit.js';
import { parseRetryAfter } from '../upstream/retry-after.js';
import { RetryableError, type Sleep, withRetries } from '../upstream/retry-policy.js';
import { adviseUnreachable, type MlflowAccess } from './mlflow-advice.js';
import { openAgents } from './mlflow-agents.js';
import { isTimeout, throwResponseError } from './mlflow-responses.js';
import { PageLimit } from './page-limit.js';

export interface MlflowClientOptions {
  readonly uri: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly token?: string | undefined;
  /** Sent as `X-MLFLOW-WORKSPACE`. */
  readonly workspace?: string | undefined;
  /** Sent with every request; their values are secret. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly proxies?: ProxySettings | undefined;
  readonly insecureTls: boolean;
  /** A PEM file or a folder of such files, and the setting that names it. */
  readonly authorities?: { readonly setting: string; readonly path: string } | undefined;
  /** A PEM file. */
  readonly clientCertPath?: string | undefined;
  readonly maxRetries: number;
  readonly backoffSeconds: number;
  /** How long a request may receive no data. */
  readonly timeoutSeconds: number;
  readonly concurrency: number;
  /** Attempts per second; no limit by default. */
  readonly maxPerSecond?: number | undefined;
  /** Larger responses are cut off. */
  readonly maxPageBytes: number;
  /** No request is retried after it aborts. */
  readonly stopping?: AbortSignal;
  /** In place of a limit of its own for `concurrency` and `maxPerSecond`. */
  readonly limit?: RequestLimit;
  /** For the waits before a retry and for `maxPerSecond`. */
  readonly sleep?: Sleep;
  /** A monotonic clock for `maxPerSecond`, ms. */
  readonly now?: () => number;
}

const MAX_WAIT_MS = 120_000;
/** How long a request waits in all because of `Retry-After` without using up a retry. docs/data.md names it. */
const MAX_REQUESTED_MS = 10 * 60_000;
const JITTER = 0.5;

export interface MlflowRequest {
  /** `POST` by default. */
  readonly method?: 'GET' | 'POST';
  readonly path: string;
  /** The body, or the query of a `GET`. */
  readonly data: unknown;
  readonly failOnTimeout?: boolean;
}

/** Sends requests to MLflow with its credentials, limits and retries. */
export class MlflowTransport {
  private readonly connection: {
    readonly httpAgent: HttpAgent;
    readonly httpsAgent: HttpsAgent;
    readonly proxy: ReturnType<typeof proxyFor>;
  };
  private readonly headers: Record<string, string>;
  private readonly limit: RequestLimit;
  private readonly secrets: readonly (string | undefined)[];
  private readonly access: MlflowAccess;

  /** @throws {MonitorError} `tls_file`: a certificate cannot be read */
  constructor(
    private readonly http: HttpService,
    private readonly options: MlflowClientOptions,
  ) {
    const { uri, username, password = '', token, workspace, headers = {}, proxies } = options;
    const proxy = proxies ? proxyFor(uri, proxies) : false;
    this.connection = { ...openAgents(options), proxy };
    const basic = username && `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    const authorization = basic || (token && `Bearer ${token}`);
    this.secrets = [
      ...[password, token, basic?.slice('Basic '.length), ...Object.values(headers)],
      ...(proxy ? proxySecrets(proxy) : []),
    ];
    this.headers = {
      'accept-encoding': 'gzip, deflate, br',
      ...(authorization ? { authorization } : {}),
      // Seen in `rest_utils.py` of MLflow 3.17.
      ...(workspace ? { 'x-mlflow-workspace': workspace } : {}),
      ...headers,
    };
    this.access = {
      uri,
      credentials: basic ? 'password' : token ? 'token' : 'none',
      username,
      workspace,
      proxy: proxy ? proxyAddress(proxy) : undefined,
      authorities: options.authorities?.setting,
      clientCert: options.clientCertPath !== undefined,
    };
    const { concurrency, maxPerSecond: perSecond, sleep, now } = options;
    this.limit = options.limit ?? new RequestLimit({ concurrency, perSecond, sleep, now });
  }

  /** The address of the proxy, if one is used. */
  get proxy(): string | undefined {
    return this.access.proxy;
  }

  /** A request outside the API, once. @returns any response, whatever its status */
  ask(path: string): Promise<{ status: number; data: string }> {
    return this.http.axiosRef.request<string>({
      url: `${this.options.uri}${path}`,
      headers: this.headers,
      responseType: 'text',
      transformResponse: (data) => String(data),
      timeout: this.options.timeoutSeconds * 1000,
      maxRedirects: 0,
      validateStatus: () => true,
      ...this.connection,
    });
  }

  /**
   * Requests below `/api/2.0/mlflow/`. Each attempt counts for the limits; the wait before the next one does not.
   * @throws {MonitorError} `mlflow_unreachable`, `mlflow_refused` and others, once no retry is left
   */
  async send<T>(
    request: MlflowRequest,
    read: (body: Readable) => Promise<T>,
  ): Promise<{ value: T } & ResponseTime> {
    const { maxRetries, backoffSeconds, stopping, sleep } = this.options;
    const policy = {
      maxRetries,
      firstWaitMs: backoffSeconds * 1000,
      maxWaitMs: MAX_WAIT_MS,
      maxRequestedMs: MAX_REQUESTED_MS,
      jitter: JITTER,
      signal: stopping,
      sleep,
    };
    return withRetries(policy, () => this.limit.run(() => this.attempt(request, read), stopping));
  }

  private async attempt<T>(
    request: MlflowRequest,
    read: (body: Readable) => Promise<T>,
  ): Promise<{ value: T } & ResponseTime> {
    try {
      const result = await this.sendOnce(request, read);
      publish({ type: 'request', upstream: 'mlflow', outcome: 'answered' });
      return result;
    } catch (error) {
      const code = error instanceof MonitorError ? error.code : '';
      // A refused listing is no answer: nothing can be read without it.
      const answered =
        code === 'page_too_big' || (code === 'mlflow_refused' && request.path !== 'experiments/search');
      publish({
        type: 'request',
        upstream: 'mlflow',
        ...(answered ? { outcome: 'answered' } : failed(error)),
      });
      if (error instanceof MonitorError) reportDenied('mlflow', error.context.status);
      if (request.failOnTimeout && error instanceof RetryableError && isTimeout(error.cause))
        throw error.cause;
      throw error;
    }
  }

  private async sendOnce<T>(
    { method = 'POST', path, data }: MlflowRequest,
    read: (body: Readable) => Promise<T>,
  ): Promise<{ value: T } & ResponseTime> {
    const { uri, timeoutSeconds, maxPageBytes } = this.options;
    const elapsed = stopwatch();
    const timeout = new AbortController();
    let timeoutTimer: NodeJS.Timeout | undefined;
    const restartTimeout = () => {
      clearTimeout(timeoutTimer);
      timeoutTimer = setTimeout(() => timeout.abort(), timeoutSeconds * 1000);
    };
    restartTimeout();
    try {
      const response = await this.http.axiosRef.request<Readable>({
        method,
        url: `${uri}/api/2.0/mlflow/${path}`,
        ...(method === 'GET' ? { params: data } : { data }),
        headers: this.headers,
        responseType: 'stream',
        maxRedirects: 0,
        validateStatus: () => true,
        signal: timeout.signal,
        ...this.connection,
      });
      const { status, headers } = response;
      const date = Date.parse(String(headers.date)) || Date.now();
      if (status < 200 || status > 299) {
        const retryAfterMs = parseRetryAfter(headers['retry-after'], date);
        await throwResponseError(response, path, retryAfterMs, this.secrets, this.access);
      }
      const body = new PageLimit(
        path,
        maxPageBytes,
        { date, length: headers['content-length'] },
        restartTimeout,
      );
      // `pipeline` fails if the body ends before its length or its last chunk.
      const [value] = await Promise.all([read(body), pipeline(response.data, body, { end: true })]);
      return { value, date, began: date - elapsed() };
    } catch (error) {
      if (error instanceof RetryableError) throw error;
      if (error instanceof MonitorError) {
        if (error.code === 'mlflow_not_json') throw new RetryableError(error);
        throw error;
      }
      const timedOut = timeout.signal.aborted;
      const { reason, advice } = adviseUnreachable(timedOut ? timeoutSeconds : error, this.access);
      const context = timedOut ? { path, timed_out: true } : { path };
      const message = `MLflow at ${uri} is unreachable: ${reason}`;
      throw new RetryableError(new MonitorError('mlflow_unreachable', message, context, true, { advice }));
    } finally {
      clearTimeout(timeoutTimer);
    }
  }
}

function failed(error: unknown) {
  const cause = error instanceof RetryableError ? error.cause : error;
  const code = cause instanceof MonitorError ? cause.code : '';
  return { outcome: 'failed', error: { code, message: errorMessage(cause) } } as const;
}

/** Whole ms since the call. The longer of two clocks: one can be set, the other stops while the machine sleeps. */
function stopwatch(): () => number {
  const wall = Date.now();
  const steady = performance.now();
  return () => Math.ceil(Math.max(Date.now() - wall, performance.now() - steady));
}
