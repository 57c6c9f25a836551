import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeRun {
  run_id: string;
  run_name: string | null;
  experiment_id: string;
  user_id: string | null;
  status: 'RUNNING' | 'SCHEDULED' | 'FINISHED' | 'FAILED' | 'KILLED';
  start_time: number | null;
  end_time: number | null;
  lifecycle_stage: 'active' | 'deleted';
  metrics: { key: string; value: number; step: number; timestamp: number }[];
  params: Record<string, string>;
  tags: Record<string, string>;
}
export interface FakeExperiment {
  experiment_id: string;
  name: string;
  lifecycle_stage: 'active' | 'deleted';
  tags: Record<string, string>;
  creation_time: number;
}
export interface FakeAnswer {
  readonly status: number;
  readonly body: string;
  /** Ends the connection before the end of the body. */
  readonly cut?: boolean;
}
export interface FakeRequest {
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
}

const entries = (record: Readonly<Record<string, string>>) =>
  Object.entries(record).map(([key, value]) => ({ key, value }));
/** MLflow's SQL store keeps infinities as the largest doubles, and JSON has no NaN: seen on MLflow 3.17. */
const sent = (value: number): number | string =>
  Number.isNaN(value) ? 'NaN' : Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, value));

/** A tracking server in memory: MLflow's REST interface as far as this service asks it. */
export class TrackingServer {
  readonly experiments = new Map<string, FakeExperiment>();
  readonly runs = new Map<string, FakeRun>();
  /** Experiments that are neither listed nor searched, as without permission. */
  readonly hidden = new Set<string>();
  readonly requests: FakeRequest[] = [];
  /** Sees each request first, and may answer in the server's place. */
  intercept: ((request: FakeRequest) => FakeAnswer | undefined) | undefined;

  private constructor(private readonly server: Server) {
    this.experiment('Default');
  }

  static async start(clock: () => number = Date.now): Promise<TrackingServer> {
    const server = createServer();
    const tracking = new TrackingServer(server);
    server.on('request', async (request: IncomingMessage, response) => {
      let text = '';
      for await (const chunk of request) text += String(chunk);
      const path = (request.url ?? '').replace('/api/2.0/mlflow/', '');
      const asked = { path, body: text ? JSON.parse(text) : {} };
      tracking.requests.push(asked);
      const answer = tracking.intercept?.(asked) ?? tracking.answer(asked);
      response.sendDate = false;
      response.writeHead(answer.status, {
        'Content-Type': 'application/json',
        'Content-Length': Buffer.byteLength(answer.body),
        Date: new Date(clock()).toUTCString(),
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
      creation_time: 1_700_000_000_000,
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

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private answer({ path, body }: FakeRequest): FakeAnswer {
    const json = (value: unknown): FakeAnswer => ({ status: 200, body: JSON.stringify(value, null, 2) });
    if (path === 'experiments/search') {
      const listed = [...this.experiments.values()].filter(
        ({ experiment_id }) => !this.hidden.has(experiment_id),
      );
      return json({ experiments: listed.map((each) => ({ ...each, tags: entries(each.tags) })) });
    }
    if (path === 'runs/search') return json(this.search(body));
    return { status: 404, body: JSON.stringify({ error_code: 'ENDPOINT_NOT_FOUND', message: path }) };
  }

  private search(body: FakeRequest['body']): object {
    const ids = new Set((body.experiment_ids as string[]) ?? []);
    const filter = conditions(String(body.filter ?? ''));
    const matching = [...this.runs.values()]
      .filter((run) => ids.has(run.experiment_id) && !this.hidden.has(run.experiment_id) && filter(run))
      .sort((a, b) => (a.start_time ?? 0) - (b.start_time ?? 0) || (a.run_id < b.run_id ? -1 : 1));
    const offset = Number(body.page_token ?? 0);
    const end = offset + Number(body.max_results ?? 1000);
    return {
      runs: matching.slice(offset, end).map(answerOf),
      ...(end < matching.length ? { next_page_token: String(end) } : {}),
    };
  }
}

function answerOf(run: FakeRun): object {
  const { metrics, params, tags, run_name, user_id, start_time, end_time, ...info } = run;
  const present = Object.entries({ run_name, user_id, start_time, end_time }).filter(
    ([, value]) => value !== null,
  );
  return {
    info: { ...info, ...Object.fromEntries(present) },
    data: {
      metrics: metrics.map((metric) => ({ ...metric, value: sent(metric.value) })),
      params: entries(params),
      tags: entries(tags),
    },
    inputs: {},
  };
}

/** MLflow's filter language: comparisons joined by AND, `run_id IN (…)`. A comparison with an absent value is false. */
function conditions(filter: string): (run: FakeRun) => boolean {
  const tests = filter
    .split(' AND ')
    .filter((part) => part !== '')
    .map((part) => {
      const list = /^attributes\.run_id IN \((.*)\)$/.exec(part);
      if (list) {
        const ids = new Set((list[1] ?? '').split(',').map((id) => id.trim().slice(1, -1)));
        return (run: FakeRun) => ids.has(run.run_id);
      }
      const [, name, operator, value = ''] =
        /^attributes\.(start_time|end_time|status) (>=|<|=) '?([\w]+)'?$/.exec(part) ?? [];
      if (name === 'status') return (run: FakeRun) => run.status === value;
      if (name !== 'start_time' && name !== 'end_time') throw new Error(`This server does not know ${part}`);
      return (run: FakeRun) => {
        const time = run[name];
        return time !== null && (operator === '<' ? time < Number(value) : time >= Number(value));
      };
    });
  return (run) => tests.every((test) => test(run));
}
