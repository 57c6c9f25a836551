import type { Agent as HttpAgent } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { HttpService } from '@nestjs/axios';
import type { z } from 'zod';
import { mlflowOptions, type Settings } from '../config/settings.js';
import { errorMessage, MonitorError } from '../domain/errors.js';
import type { ResponseTime } from '../domain/merge-precedence.js';
import { formatBytes } from '../domain/text.js';
import { publish } from '../observability/diagnostics.js';
import { type ProxySettings, proxyAddress, proxyFor } from '../upstream/proxy.js';
import { reportDenied } from '../upstream/report-denied.js';
import { RequestLimit } from '../upstream/request-limit.js';
import { parseRetryAfter } from '../upstream/retry-after.js';
import { RetryableError, type Sleep, withRetries } from '../upstream/retry-policy.js';
import { adviseUnreachable, type MlflowAccess } from './mlflow-advice.js';
import { openAgents } from './mlflow-agents.js';
import type { Experiment, MlflowClient, MlflowRequests, RunQuery, SearchOptions } from './mlflow-api.js';
import {
  isTimeout,
  parseExperiments,
  parseResponse,
  readAll,
  saveBody,
  throwResponseError,
} from './mlflow-responses.js';
import { PageLimit } from './page-limit.js';
import { PageSize } from './page-size.js';

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

/** The limits are those of a process: its clients share them. */
const limits = new WeakMap<Settings, RequestLimit>();

/** The client for the settings; `overrides` replaces single options. */
export function createMlflowClient(
  http: HttpService,
  settings: Settings,
  overrides: Partial<MlflowClientOptions> = {},
): HttpMlflowClient {
  const options = mlflowOptions(settings);
  const { concurrency, maxPerSecond: perSecond } = options;
  const limit = limits.get(settings) ?? new RequestLimit({ concurrency, perSecond });
  limits.set(settings, limit);
  return new HttpMlflowClient(http, { ...options, limit, ...overrides });
}

const MAX_WAIT_MS = 120_000;
/** How long a request waits in all because of `Retry-After` without using up a retry. docs/data.md names it. */
const MAX_REQUESTED_MS = 10 * 60_000;
const JITTER = 0.5;
const MAX_PAGES = 1_000;
const EXPERIMENTS_PER_PAGE = 1_000;
/** The list of all experiments may be as large as so many of the largest pages: 256 MiB by default. */
const MAX_LISTING_PAGES = 8;

interface Request {
  /** `POST` by default. */
  readonly method?: 'GET' | 'POST';
  readonly path: string;
  /** The body, or the query of a `GET`. */
  readonly data: unknown;
  readonly failOnTimeout?: boolean;
}

export class HttpMlflowClient implements MlflowClient, MlflowRequests {
  private readonly transport: {
    readonly httpAgent: HttpAgent;
    readonly httpsAgent: HttpsAgent;
    readonly proxy: ReturnType<typeof proxyFor>;
  };
  private readonly headers: Record<string, string>;
  private readonly limit: RequestLimit;
  private readonly secrets: readonly (string | undefined)[];
  private readonly access: MlflowAccess;
  private workspacesExist: boolean | undefined;

  /** @throws {MonitorError} `tls_file`: a certificate cannot be read */
  constructor(
    private readonly http: HttpService,
    private readonly options: MlflowClientOptions,
  ) {
    const { uri, username, password = '', token, workspace, headers = {}, proxies } = options;
    const proxy = proxies ? proxyFor(uri, proxies) : false;
    this.transport = { ...openAgents(options), proxy };
    const basic = username && `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    const authorization = basic || (token && `Bearer ${token}`);
    this.secrets = [password, token, basic?.slice('Basic '.length), ...Object.values(headers)];
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

  async listExperiments(): Promise<{ experiments: Experiment[] } & ResponseTime> {
    await this.assertWorkspaces();
    const experiments: Experiment[] = [];
    const size = new PageSize(EXPERIMENTS_PER_PAGE);
    const tokens = new Set<string>();
    let token: string | undefined;
    let bytes = 0;
    // The list is as old as its oldest page.
    let time: ResponseTime | undefined;
    for (let page = 0; page < MAX_PAGES; page++) {
      const { value, date, began } = await this.fetchExperiments(size, token);
      time ??= { date, began };
      bytes += value.bytes;
      if (bytes > MAX_LISTING_PAGES * this.options.maxPageBytes) {
        const message = `The list of experiments is larger than ${formatBytes(bytes)}: raise MAX_PAGE_MB to read it`;
        throw new MonitorError('experiments_too_big', message);
      }
      for (const { experiment_id, name, lifecycle_stage, creation_time, tags } of value.experiments) {
        experiments.push({
          experiment_id,
          name,
          lifecycle_stage,
          tags: Object.fromEntries((tags ?? []).map(({ key, value }) => [key, value ?? ''])),
          creation_time: creation_time ?? null,
        });
      }
      token = value.next_page_token || undefined;
      if (token === undefined) return { experiments, ...time };
      if (tokens.has(token)) {
        throw new MonitorError('repeated_page', 'MLflow returned the same page token of experiments twice');
      }
      tokens.add(token);
    }
    throw new MonitorError('too_many_pages', `MLflow returned more than ${MAX_PAGES} pages of experiments`);
  }

  async serverTime(): Promise<number> {
    return (await this.fetchExperiments(new PageSize(1), undefined)).date;
  }

  /** Fetches a page of experiments, smaller ones until it fits: tokens are offsets and stay valid. */
  private async fetchExperiments(size: PageSize, token: string | undefined) {
    for (;;) {
      const requested = size.current;
      const data = { view_type: 'ALL', max_results: requested, ...(token ? { page_token: token } : {}) };
      try {
        const response = await this.send({ path: 'experiments/search', data }, async (body) => {
          const json = await readAll(body);
          return { ...(await parseExperiments(json)), bytes: json.length };
        });
        const { experiments, bytes } = response.value;
        size.grow(experiments.length, bytes);
        return response;
      } catch (error) {
        if (!size.shrink(error, requested)) throw error;
      }
    }
  }

  /** The response of the server's `/version`; `undefined` if it is not a version. */
  async serverVersion(): Promise<string | undefined> {
    const { status, data } = await this.ask('/version');
    const text = data.trim();
    return status === 200 && /^\d+\.\d+/.test(text) ? text.slice(0, 40) : undefined;
  }

  /** Whether the server has workspaces. Older ones have no such page. */
  async hasWorkspaces(): Promise<boolean> {
    const { status, data } = await this.ask('/api/3.0/mlflow/server-info');
    return status === 200 && /"workspaces_enabled":\s*true/.test(data);
  }

  /** MLflow 1.30 and 2.22 ignore the header: all their experiments would be taken for those of the workspace. */
  private async assertWorkspaces(): Promise<void> {
    const { workspace, uri } = this.options;
    if (!workspace || this.workspacesExist) return;
    this.workspacesExist = await this.hasWorkspaces().catch(() => undefined);
    if (this.workspacesExist !== false) return;
    const message = `MLFLOW_WORKSPACE is ${workspace}, but MLflow at ${uri} has no workspaces`;
    const advice = 'Unset MLFLOW_WORKSPACE, or start MLflow with --enable-workspaces';
    throw new MonitorError('no_workspaces', message, { workspace }, false, { advice });
  }

  private ask(path: string): Promise<{ status: number; data: string }> {
    return this.http.axiosRef.request<string>({
      url: `${this.options.uri}${path}`,
      headers: this.headers,
      responseType: 'text',
      transformResponse: (data) => String(data),
      timeout: this.options.timeoutSeconds * 1000,
      maxRedirects: 0,
      validateStatus: () => true,
      ...this.transport,
    });
  }

  async searchRuns(
    query: RunQuery,
    file: string,
    options: SearchOptions = {},
  ): Promise<{ bytes: number } & ResponseTime> {
    const data = { order_by: ['attributes.start_time ASC'], ...query, run_view_type: 'ALL' };
    const request = { path: 'runs/search', data, ...options };
    const { value, date, began } = await this.send(request, (body) => saveBody(body, file));
    return { bytes: value, date, began };
  }

  async request<T>(
    method: 'GET' | 'POST',
    path: string,
    data: Readonly<Record<string, string>>,
    schema: z.ZodType<T>,
  ): Promise<T> {
    const read = async (body: Readable) => parseResponse(path, await readAll(body), schema);
    return (await this.send({ method, path, data }, read)).value;
  }

  /** Each attempt counts for the limits; the wait before the next one does not. */
  private async send<T>(
    request: Request,
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
    request: Request,
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
    { method = 'POST', path, data }: Request,
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
        ...this.transport,
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
