import { readFileSync } from 'node:fs';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as wait } from 'node:timers/promises';
import type { HttpService } from '@nestjs/axios';
import { mlflowOptions, type Settings } from '../config/settings.js';
import { errorMessage, MonitorError } from '../domain/errors.js';
import type { ResponseTime } from '../domain/merge-precedence.js';
import { publish } from '../observability/diagnostics.js';
import type { Experiment, MlflowClient, RunQuery } from './mlflow-api.js';
import {
  parseExperiments,
  parseRetryAfter,
  RetryableError,
  saveBody,
  throwResponseError,
} from './mlflow-responses.js';

export interface MlflowClientOptions {
  readonly uri: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly token?: string | undefined;
  readonly insecureTls: boolean;
  /** PEM files. */
  readonly serverCertPath?: string | undefined;
  readonly clientCertPath?: string | undefined;
  readonly maxRetries: number;
  readonly backoffSeconds: number;
  /** The longest silence within a request. */
  readonly timeoutSeconds: number;
  readonly concurrency: number;
  readonly maxPageBytes: number;
  /** Once it is aborted, nothing is asked again. */
  readonly stopping?: AbortSignal;
  readonly sleep?: (ms: number, stopping?: AbortSignal) => Promise<unknown>;
}

/** Larger than any page that MLflow produces: 50,000 runs with hundreds of metrics each. */
const MAX_PAGE_BYTES = 2 ** 30;

/** The client that the settings describe; `overrides` replaces single options. */
export const createMlflowClient = (
  http: HttpService,
  settings: Settings,
  overrides: Partial<MlflowClientOptions> = {},
): MlflowClient =>
  new HttpMlflowClient(http, { ...mlflowOptions(settings), maxPageBytes: MAX_PAGE_BYTES, ...overrides });

const LONGEST_WAIT_MS = 120_000;
const MAX_PAGES = 1_000;

interface Request {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly data?: unknown;
  readonly params?: Readonly<Record<string, string>>;
}

export class HttpMlflowClient implements MlflowClient {
  private readonly agents: { httpAgent: HttpAgent; httpsAgent: HttpsAgent };
  private readonly headers: Record<string, string>;
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(
    private readonly http: HttpService,
    private readonly options: MlflowClientOptions,
  ) {
    const { username, password = '', token, serverCertPath, clientCertPath } = options;
    const client = clientCertPath ? readFileSync(clientCertPath) : undefined;
    this.agents = {
      httpAgent: new HttpAgent({ keepAlive: true }),
      httpsAgent: new HttpsAgent({
        keepAlive: true,
        rejectUnauthorized: !options.insecureTls,
        ...(serverCertPath ? { ca: readFileSync(serverCertPath) } : {}),
        ...(client ? { cert: client, key: client } : {}),
      }),
    };
    const basic = username && `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    const authorization = basic || (token && `Bearer ${token}`);
    this.headers = authorization ? { authorization } : {};
  }

  async listExperiments(): Promise<{ experiments: Experiment[] } & ResponseTime> {
    const experiments: Experiment[] = [];
    const data = { view_type: 'ALL', max_results: 1000 };
    let token: string | undefined;
    // The oldest of its pages is as old as the list.
    let time: ResponseTime | undefined;
    for (let page = 0; page < MAX_PAGES; page++) {
      const chunks: Buffer[] = [];
      const answer = await this.ask(
        {
          method: 'POST',
          path: 'experiments/search',
          data: token === undefined ? data : { ...data, page_token: token },
        },
        async (body) => {
          chunks.length = 0;
          for await (const chunk of body) chunks.push(chunk);
          return parseExperiments(Buffer.concat(chunks));
        },
      );
      time ??= { date: answer.date, began: answer.began };
      for (const { experiment_id, name, lifecycle_stage, creation_time, tags } of answer.value.experiments ??
        []) {
        experiments.push({
          experiment_id,
          name,
          lifecycle_stage,
          tags: Object.fromEntries((tags ?? []).map(({ key, value }) => [key, value ?? ''])),
          creation_time: creation_time ?? null,
        });
      }
      token = answer.value.next_page_token || undefined;
      if (token === undefined) return { experiments, ...time };
    }
    throw new MonitorError('too_many_pages', `MLflow lists more than ${MAX_PAGES} pages of experiments`);
  }

  /** The version that the server names at `/version`; undefined: it names none. */
  async serverVersion(): Promise<string | undefined> {
    const response = await this.http.axiosRef.request<unknown>({
      url: `${this.options.uri}/version`,
      headers: this.headers,
      responseType: 'text',
      timeout: this.options.timeoutSeconds * 1000,
      maxRedirects: 0,
      validateStatus: () => true,
      proxy: false,
      ...this.agents,
    });
    const text = String(response.data).trim();
    return response.status === 200 && /^\d+\.\d+/.test(text) ? text.slice(0, 40) : undefined;
  }

  async searchRuns(query: RunQuery, file: string): Promise<{ bytes: number } & ResponseTime> {
    const data = { ...query, run_view_type: 'ALL', order_by: ['attributes.start_time ASC'] };
    const { value, date, began } = await this.ask({ method: 'POST', path: 'runs/search', data }, (body) =>
      saveBody(body, file),
    );
    return { bytes: value, date, began };
  }

  async getRun(runId: string, file: string): Promise<({ bytes: number } & ResponseTime) | undefined> {
    try {
      const request = { method: 'GET', path: 'runs/get', params: { run_id: runId } } as const;
      const { value, date, began } = await this.ask(request, (body) => saveBody(body, file));
      return { bytes: value, date, began };
    } catch (error) {
      if (error instanceof MonitorError && error.context.status === 404) return undefined;
      throw error;
    }
  }

  private async ask<T>(
    request: Request,
    read: (body: Readable) => Promise<T>,
  ): Promise<{ value: T } & ResponseTime> {
    const { maxRetries, backoffSeconds, stopping, sleep = waitUnlessStopped } = this.options;
    for (let attempt = 0; ; attempt++) {
      await this.enter();
      try {
        const answer = await this.once(request, read);
        publish({ type: 'request', upstream: 'mlflow', outcome: 'answered' });
        return answer;
      } catch (error) {
        const refused = error instanceof MonitorError && error.code === 'mlflow_refused';
        publish({ type: 'request', upstream: 'mlflow', outcome: refused ? 'answered' : 'failed' });
        if (!(error instanceof RetryableError)) throw error;
        if (attempt >= maxRetries) throw error.error;
        const backoff = backoffSeconds * 1000 * 2 ** attempt * (0.5 + Math.random() / 2);
        await sleep(Math.min(error.after ?? backoff, LONGEST_WAIT_MS), stopping);
        if (stopping?.aborted) throw error.error;
      } finally {
        this.leave();
      }
    }
  }

  private async once<T>(
    { method, path, data, params }: Request,
    read: (body: Readable) => Promise<T>,
  ): Promise<{ value: T } & ResponseTime> {
    const { uri, timeoutSeconds, maxPageBytes } = this.options;
    const elapsed = stopwatch();
    const silence = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const heard = () => {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), timeoutSeconds * 1000);
    };
    heard();
    try {
      const response = await this.http.axiosRef.request<Readable>({
        method,
        url: `${uri}/api/2.0/mlflow/${path}`,
        data,
        params,
        headers: this.headers,
        responseType: 'stream',
        maxRedirects: 0,
        validateStatus: () => true,
        signal: silence.signal,
        proxy: false,
        ...this.agents,
      });
      const { status, headers } = response;
      const date = Date.parse(String(headers.date)) || Date.now();
      if (status < 200 || status > 299) {
        await throwResponseError(response.data, path, status, parseRetryAfter(headers['retry-after'], date));
      }
      let bytes = 0;
      const counted = new Transform({
        transform(chunk: Buffer, _encoding, done) {
          heard();
          bytes += chunk.length;
          done(
            bytes > maxPageBytes ? new MonitorError('page_too_big', `An answer of ${path} is too big`) : null,
            chunk,
          );
        },
      });
      // A body that ends before its length or its last chunk is an error of the response.
      const [value] = await Promise.all([read(counted), pipeline(response.data, counted, { end: true })]);
      return { value, date, began: date - elapsed() };
    } catch (error) {
      if (error instanceof RetryableError) throw error;
      if (error instanceof MonitorError) {
        if (error.code === 'mlflow_not_json') throw new RetryableError(error);
        throw error;
      }
      const reason = silence.signal.aborted ? `silent for ${timeoutSeconds} s` : errorMessage(error);
      throw new RetryableError(
        new MonitorError('mlflow_unreachable', `MLflow at ${uri} does not answer: ${reason}`, { path }, true),
      );
    } finally {
      clearTimeout(timer);
    }
  }

  private async enter(): Promise<void> {
    if (this.running < this.options.concurrency) this.running++;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  /** Hands the place on to who has waited longest. */
  private leave(): void {
    const next = this.waiting.shift();
    if (next) next();
    else this.running--;
  }
}

const waitUnlessStopped = (ms: number, signal?: AbortSignal): Promise<unknown> =>
  wait(ms, undefined, { signal }).catch(() => undefined);

/** Whole ms since now: the longer of what two clocks say, for one may be set and the other stops while the machine sleeps. */
function stopwatch(): () => number {
  const wall = Date.now();
  const steady = performance.now();
  return () => Math.ceil(Math.max(Date.now() - wall, performance.now() - steady));
}
