import type { Readable } from 'node:stream';
import type { HttpService } from '@nestjs/axios';
import type { z } from 'zod';
import { mlflowOptions, type Settings } from '../config/settings.js';
import { MonitorError } from '../domain/errors.js';
import type { ResponseTime } from '../domain/merge-precedence.js';
import { formatBytes } from '../domain/text.js';
import { RequestLimit } from '../upstream/request-limit.js';
import type { Experiment, MlflowClient, MlflowRequests, RunQuery, SearchOptions } from './mlflow-api.js';
import { parseExperiments, parseResponse, readAll, saveBody } from './mlflow-responses.js';
import { type MlflowClientOptions, MlflowTransport } from './mlflow-transport.js';
import { PageSize } from './page-size.js';

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

const MAX_PAGES = 1_000;
const EXPERIMENTS_PER_PAGE = 1_000;
/** The list of all experiments may be as large as so many of the largest pages: 256 MiB by default. */
const MAX_LISTING_PAGES = 8;

export class HttpMlflowClient implements MlflowClient, MlflowRequests {
  private readonly transport: MlflowTransport;
  private workspacesExist: boolean | undefined;

  /** @throws {MonitorError} `tls_file`: a certificate cannot be read */
  constructor(
    http: HttpService,
    private readonly options: MlflowClientOptions,
  ) {
    this.transport = new MlflowTransport(http, options);
  }

  /** The address of the proxy, if one is used. */
  get proxy(): string | undefined {
    return this.transport.proxy;
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
        const response = await this.transport.send({ path: 'experiments/search', data }, async (body) => {
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
    const { status, data } = await this.transport.ask('/version');
    const text = data.trim();
    return status === 200 && /^\d+\.\d+/.test(text) ? text.slice(0, 40) : undefined;
  }

  /** Whether the server has workspaces. Older ones have no such page. */
  async hasWorkspaces(): Promise<boolean> {
    const { status, data } = await this.transport.ask('/api/3.0/mlflow/server-info');
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

  async searchRuns(
    query: RunQuery,
    file: string,
    options: SearchOptions = {},
  ): Promise<{ bytes: number } & ResponseTime> {
    const data = { order_by: ['attributes.start_time ASC'], ...query, run_view_type: 'ALL' };
    const request = { path: 'runs/search', data, ...options };
    const { value, date, began } = await this.transport.send(request, (body) => saveBody(body, file));
    return { bytes: value, date, began };
  }

  async request<T>(
    method: 'GET' | 'POST',
    path: string,
    data: Readonly<Record<string, string>>,
    schema: z.ZodType<T>,
  ): Promise<T> {
    const read = async (body: Readable) => parseResponse(path, await readAll(body), schema);
    return (await this.transport.send({ method, path, data }, read)).value;
  }
}
