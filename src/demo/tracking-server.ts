import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FakeExperiment, FakeRequest, FakeResponse, FakeRun } from './fakes.js';
import { experimentJson, jsonOf, runJson } from './mlflow-json.js';
import { ModelRegistry } from './model-registry.js';
import { pageOf } from './result-page.js';
import { invalid, MlflowError, parseFilter, parseOrder } from './run-filter.js';

const BASE_PATH = '/api/2.0/mlflow/';
const MAX_RESULTS_LIMIT = 50_000;
const DEFAULT_MAX_RESULTS = 1000;

/**
 * An in-memory tracking server with the part of MLflow's REST API that this service uses. It behaves like MLflow 3.17 with
 * its SQL store; the contract suite compares the two. For tests it also has `hidden`, `intercept` and `requests`, and it
 * accepts runs that MLflow would not store.
 */
export class TrackingServer {
  readonly experiments = new Map<string, FakeExperiment>();
  readonly runs = new Map<string, FakeRun>();
  readonly models = new ModelRegistry();
  /** Ids of experiments that are neither listed nor searched, as if the client had no permission. */
  readonly hidden = new Set<string>();
  /** All requests so far. */
  readonly requests: FakeRequest[] = [];
  /** Called first for each request; a response that it returns is sent instead of the server's own. */
  intercept: ((request: FakeRequest) => FakeResponse | undefined) | undefined;

  private constructor(private readonly server: Server) {
    this.experiment('Default');
  }

  /** @param clock the time of the `Date` header, ms */
  static async start(clock: () => number = Date.now): Promise<TrackingServer> {
    const server = createServer();
    const trackingServer = new TrackingServer(server);
    server.on('request', async (request: IncomingMessage, response) => {
      const { status, headers, body, cut } = await trackingServer.respond(request);
      response.sendDate = false;
      response.writeHead(status, {
        'Content-Type': 'application/json',
        'Content-Length': Buffer.byteLength(body),
        Date: new Date(clock()).toUTCString(),
        ...headers,
      });
      if (cut) response.write(body.slice(0, body.length / 2), () => response.destroy());
      else response.end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return trackingServer;
  }

  get uri(): string {
    const address = this.server.address() as AddressInfo;
    return `http://127.0.0.1:${address.port}`;
  }

  /** Creates an experiment. */
  experiment(name: string, tags: Record<string, string> = {}): FakeExperiment {
    const experiment: FakeExperiment = {
      experiment_id: String(this.experiments.size),
      name,
      lifecycle_stage: 'active',
      tags,
      creation_time: 1_700_000_000_000 + this.experiments.size,
    };
    this.experiments.set(experiment.experiment_id, experiment);
    return experiment;
  }

  /** Creates a run: finished a minute after its start unless `run` says otherwise. */
  run(run: Partial<FakeRun> & Pick<FakeRun, 'experiment_id' | 'start_time'>): FakeRun {
    const created: FakeRun = {
      run_id: `run${String(this.runs.size).padStart(6, '0')}`,
      run_name: null,
      user_id: null,
      status: 'FINISHED',
      end_time: run.start_time === null ? null : run.start_time + 60_000,
      lifecycle_stage: 'active',
      metrics: [],
      params: {},
      tags: {},
      ...run,
    };
    this.runs.set(created.run_id, created);
    return created;
  }

  /** Deletes an experiment like MLflow: its runs are deleted, too. */
  deleteExperiment(experimentId: string): void {
    const experiment = this.experiments.get(experimentId);
    if (experiment) experiment.lifecycle_stage = 'deleted';
    for (const run of this.runs.values()) {
      if (run.experiment_id === experimentId) run.lifecycle_stage = 'deleted';
    }
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async respond(message: IncomingMessage): Promise<FakeResponse> {
    const { method, headers } = message;
    let text = '';
    for await (const chunk of message) text += String(chunk);
    const url = new URL(`http://localhost${message.url}`);
    const path = url.pathname.replace(BASE_PATH, '');
    const request: FakeRequest = { path, body: method === 'GET' ? queryOf(url) : bodyOf(text) };
    this.requests.push(request);
    try {
      rejectCrossOrigin(method, headers);
      return this.intercept?.(request) ?? { status: 200, body: jsonOf(this.handle(method, request)) };
    } catch (error) {
      const { status, code, message } =
        error instanceof MlflowError ? error : new MlflowError(500, 'INTERNAL_ERROR', `${error}`);
      return { status, body: JSON.stringify({ error_code: code, message }) };
    }
  }

  /** @throws {MlflowError} */
  private handle(method: string | undefined, { path, body }: FakeRequest): object {
    if (method === 'POST' && path === 'experiments/search') return this.searchExperiments(body);
    if (method === 'POST' && path === 'runs/search') return this.searchRuns(body);
    if (method === 'GET' && path === 'runs/get') return this.getRun(body);
    const found = this.models.handle(method, path, body);
    if (found) return found;
    throw new MlflowError(404, 'ENDPOINT_NOT_FOUND', `No API found for ${method} ${path}`);
  }

  private searchExperiments(body: FakeRequest['body']): object {
    // Unlike runs/search, this request has no default for max_results.
    const size = pageSizeOf(body.max_results ?? 0);
    const stages = stagesOf(body.view_type);
    if (body.filter || body.order_by)
      throw new MlflowError(501, 'NOT_IMPLEMENTED', 'The demo server does not support filter and order_by');
    const listed = [...this.experiments.values()]
      .filter(
        ({ experiment_id, lifecycle_stage }) =>
          !this.hidden.has(experiment_id) && stages.has(lifecycle_stage),
      )
      .sort((a, b) => b.creation_time - a.creation_time || Number(a.experiment_id) - Number(b.experiment_id));
    return pageOf('experiments', listed, size, body.page_token, experimentJson);
  }

  private searchRuns(body: FakeRequest['body']): object {
    const size = pageSizeOf(body.max_results ?? DEFAULT_MAX_RESULTS);
    const matches = parseFilter(String(body.filter ?? ''));
    const order = parseOrder(textsOf('order_by', body.order_by));
    const stages = stagesOf(body.run_view_type);
    const ids = new Set(textsOf('experiment_ids', body.experiment_ids));
    for (const id of ids) if (!/^\d+$/.test(id)) throw invalid(`Invalid experiment ID '${id}'.`);
    // Filters first, because the result is small and mostly sorted by start already.
    const found = [...this.runs.values()]
      .filter(
        (run) =>
          ids.has(run.experiment_id) &&
          !this.hidden.has(run.experiment_id) &&
          stages.has(run.lifecycle_stage) &&
          matches(run),
      )
      .sort(order);
    return pageOf('runs', found, size, body.page_token, runJson);
  }

  private getRun({ run_id }: FakeRequest['body']): object {
    if (!run_id) throw invalid("Missing value for required parameter 'run_id'.");
    const run = this.runs.get(String(run_id));
    if (!run) throw new MlflowError(404, 'RESOURCE_DOES_NOT_EXIST', `Run with id=${run_id} not found`);
    return { run: runJson(run) };
  }
}

/** Rejects, like MLflow, POST requests of web pages from other origins, and requests with a foreign Host header. */
function rejectCrossOrigin(method: string | undefined, { origin, host }: IncomingHttpHeaders): void {
  if (method === 'POST' && origin && !isLocal(origin))
    throw new MlflowError(403, 'PERMISSION_DENIED', 'Cross-origin request blocked');
  if (host && !isLocal(`http://${host}`))
    throw new MlflowError(403, 'PERMISSION_DENIED', 'Invalid Host header');
}

const isLocal = (url: string): boolean =>
  URL.canParse(url) && ['localhost', '127.0.0.1', '[::1]'].includes(new URL(url).hostname);

const queryOf = (url: URL): FakeRequest['body'] => Object.fromEntries(url.searchParams);

/** MLflow treats a body that is not a JSON object as an empty one. */
function bodyOf(text: string): FakeRequest['body'] {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' && body !== null && !Array.isArray(body) ? { ...body } : {};
  } catch {
    return {};
  }
}

function textsOf(name: string, value: unknown): string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw invalid(`Invalid value for parameter '${name}' supplied.`);
  return value.map(String);
}

function pageSizeOf(value: unknown): number {
  const size = Number(value);
  if (!Number.isInteger(size) || size < 1 || size > MAX_RESULTS_LIMIT)
    throw invalid(`Invalid value ${value} for parameter 'max_results' supplied.`);
  return size;
}

/** The lifecycle stages of a view; an unknown view is ACTIVE_ONLY. */
function stagesOf(view: unknown): ReadonlySet<string> {
  if (view === 'ALL') return new Set(['active', 'deleted']);
  return new Set([view === 'DELETED_ONLY' ? 'deleted' : 'active']);
}
