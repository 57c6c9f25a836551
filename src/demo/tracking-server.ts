import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FakeExperiment, FakeRequest, FakeResponse, FakeRun } from './fakes.js';
import { experimentJson, jsonOf, runJson } from './mlflow-json.js';
import { invalid, MlflowError, parseFilter, parseOrder } from './run-filter.js';

export type { FakeExperiment, FakeRequest, FakeResponse as FakeAnswer, FakeRun };

const BASE = '/api/2.0/mlflow/';
const MOST_RESULTS = 50_000;
const DEFAULT_RUNS = 1000;

/**
 * A tracking server in memory: MLflow's REST interface as far as this service asks it. What it does was seen on MLflow
 * 3.17 with its SQL store; the contract suite holds both to the same answers. Beside that are only tools for tests:
 * `hidden`, `intercept`, and runs that no MLflow would hold.
 */
export class TrackingServer {
  readonly experiments = new Map<string, FakeExperiment>();
  readonly runs = new Map<string, FakeRun>();
  /** Experiments that are neither listed nor searched, as without permission. */
  readonly hidden = new Set<string>();
  readonly requests: FakeRequest[] = [];
  /** Sees each request first, and may answer in the server's place. */
  intercept: ((request: FakeRequest) => FakeResponse | undefined) | undefined;

  private constructor(private readonly server: Server) {
    this.experiment('Default');
  }

  static async start(clock: () => number = Date.now): Promise<TrackingServer> {
    const server = createServer();
    const tracking = new TrackingServer(server);
    server.on('request', async (request: IncomingMessage, response) => {
      const answer = await tracking.respond(request);
      response.sendDate = false;
      response.writeHead(answer.status, {
        'Content-Type': 'application/json',
        'Content-Length': Buffer.byteLength(answer.body),
        Date: new Date(clock()).toUTCString(),
        ...answer.headers,
      });
      if (answer.cut) response.write(answer.body.slice(0, answer.body.length / 2), () => response.destroy());
      else response.end(answer.body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return tracking;
  }

  get uri(): string {
    const address = this.server.address() as AddressInfo;
    return `http://127.0.0.1:${address.port}`;
  }

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

  run(run: Partial<FakeRun> & Pick<FakeRun, 'experiment_id' | 'start_time'>): FakeRun {
    const made: FakeRun = {
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
    this.runs.set(made.run_id, made);
    return made;
  }

  /** Deletes an experiment as MLflow does: its runs go with it. */
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

  private async respond(request: IncomingMessage): Promise<FakeResponse> {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const url = new URL(`http://localhost${request.url}`);
    const path = url.pathname.replace(BASE, '');
    const asked: FakeRequest = { path, body: request.method === 'GET' ? queryOf(url) : bodyOf(text) };
    this.requests.push(asked);
    try {
      refuseForeign(request.method, request.headers);
      return this.intercept?.(asked) ?? { status: 200, body: jsonOf(this.answer(request.method, asked)) };
    } catch (error) {
      const refusal =
        error instanceof MlflowError ? error : new MlflowError(500, 'INTERNAL_ERROR', `${error}`);
      return {
        status: refusal.status,
        body: JSON.stringify({ error_code: refusal.code, message: refusal.message }),
      };
    }
  }

  private answer(method: string | undefined, { path, body }: FakeRequest): object {
    if (method === 'POST' && path === 'experiments/search') return this.searchExperiments(body);
    if (method === 'POST' && path === 'runs/search') return this.searchRuns(body);
    if (method === 'GET' && path === 'runs/get') return this.getRun(body);
    throw new MlflowError(404, 'ENDPOINT_NOT_FOUND', `No API found for ${method} ${path}`);
  }

  private searchExperiments(body: FakeRequest['body']): object {
    // Unlike that of runs, this search has no default.
    const size = sizeOf(body.max_results ?? 0);
    const stages = stagesOf(body.view_type);
    if (body.filter || body.order_by)
      throw new MlflowError(501, 'NOT_IMPLEMENTED', 'The demo server lists all');
    const listed = [...this.experiments.values()]
      .filter(
        ({ experiment_id, lifecycle_stage }) =>
          !this.hidden.has(experiment_id) && stages.has(lifecycle_stage),
      )
      .sort((a, b) => b.creation_time - a.creation_time || Number(a.experiment_id) - Number(b.experiment_id));
    return pageOf('experiments', listed, size, body.page_token, experimentJson);
  }

  private searchRuns(body: FakeRequest['body']): object {
    const size = sizeOf(body.max_results ?? DEFAULT_RUNS);
    const matches = parseFilter(String(body.filter ?? ''));
    const order = parseOrder(textsOf('order_by', body.order_by));
    const stages = stagesOf(body.run_view_type);
    const ids = new Set(textsOf('experiment_ids', body.experiment_ids));
    for (const id of ids) if (!/^\d+$/.test(id)) throw invalid(`Invalid experiment ID '${id}'.`);
    // The filter first: what is left is small, and mostly in the order of its start already.
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

/** Web pages of elsewhere: MLflow refuses their changes, and searches are sent by POST. */
function refuseForeign(method: string | undefined, { origin, host }: IncomingHttpHeaders): void {
  if (method === 'POST' && origin && !isLocal(origin))
    throw new MlflowError(403, 'PERMISSION_DENIED', 'Cross-origin request blocked');
  if (host && !isLocal(`http://${host}`))
    throw new MlflowError(403, 'PERMISSION_DENIED', 'Invalid Host header');
}

const isLocal = (url: string): boolean =>
  URL.canParse(url) && ['localhost', '127.0.0.1', '[::1]'].includes(new URL(url).hostname);

const queryOf = (url: URL): FakeRequest['body'] => Object.fromEntries(url.searchParams);

/** A body that is no JSON object is an empty one to MLflow. */
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

function sizeOf(value: unknown): number {
  const size = Number(value);
  if (!Number.isInteger(size) || size < 1 || size > MOST_RESULTS)
    throw invalid(`Invalid value ${value} for parameter 'max_results' supplied.`);
  return size;
}

/** An unknown view is the default one. */
function stagesOf(view: unknown): ReadonlySet<string> {
  if (view === 'ALL') return new Set(['active', 'deleted']);
  return new Set([view === 'DELETED_ONLY' ? 'deleted' : 'active']);
}

/** A token is an offset; there is none when nothing follows. */
function pageOf<T>(
  name: string,
  found: readonly T[],
  size: number,
  token: unknown,
  answer: (each: T) => object,
): object {
  const offset = offsetOf(token);
  const page = found.slice(offset, offset + size);
  const next = offset + size < found.length ? { next_page_token: tokenOf(offset + size) } : {};
  return page.length > 0 ? { [name]: page.map(answer), ...next } : {};
}

const tokenOf = (offset: number): string => Buffer.from(`{"offset": ${offset}}`).toString('base64');

function offsetOf(token: unknown): number {
  if (token === undefined || token === '') return 0;
  const [, offset] = /^\{"offset": ?(\d+)\}$/.exec(Buffer.from(String(token), 'base64').toString()) ?? [];
  if (!Number(offset)) throw invalid('Invalid page token');
  return Number(offset);
}
