import { request as httpRequest } from 'node:http';

/** A run that the suite creates; the server chooses its id. */
export interface NewRun {
  readonly name: string;
  readonly start?: number;
  readonly end?: number;
  readonly status?: 'RUNNING' | 'SCHEDULED' | 'FINISHED' | 'FAILED' | 'KILLED';
  readonly metrics?: Readonly<Record<string, { value: number; step?: bigint; timestamp?: number }>>;
  readonly params?: Readonly<Record<string, string>>;
  readonly tags?: Readonly<Record<string, string>>;
}

/** A tracking server under test, and how to write to it. */
export interface Subject {
  readonly uri: string;
  experiment(name: string, tags?: Record<string, string>): Promise<string>;
  /** @returns the run's id */
  run(experimentId: string, run: NewRun): Promise<string>;
  deleteRun(runId: string): Promise<void>;
  deleteExperiment(experimentId: string): Promise<void>;
  /** Removes the name of a run; runs of MLflow 1 have none. */
  dropName(runId: string): Promise<void>;
  /** Creates the next version of a registered model. @param runId null: without a run */
  modelVersion(name: string, runId: string | null): Promise<void>;
  setAlias(name: string, alias: string, version: string): Promise<void>;
  stop(): Promise<void>;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}
/** A run as the REST API returns it. */
export interface RunJson {
  info: Record<string, unknown> & { run_id: string; run_name?: string };
  data: {
    metrics?: { key: string; value: number | string; step: number; timestamp: number }[];
    params?: { key: string; value: string }[];
    tags?: { key: string; value: string }[];
  };
  inputs: object;
}

export const IN_START_ORDER = ['attributes.start_time ASC'];

/** A REST client of the server under test. */
export class ContractClient {
  constructor(readonly subject: () => Subject) {}

  send(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<HttpResponse> {
    return new Promise((resolve, reject) => {
      const url = `${this.subject().uri}/api/2.0/mlflow/${path}`;
      const sent = httpRequest(url, { method, headers: { 'Content-Type': 'application/json', ...headers } });
      sent.on('response', async (response) => {
        let text = '';
        for await (const chunk of response.setEncoding('utf8')) text += String(chunk);
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
      });
      sent.on('error', reject);
      sent.end(typeof body === 'string' ? body : JSON.stringify(body));
    });
  }

  post(path: string, body: unknown, headers?: Record<string, string>): Promise<HttpResponse> {
    return this.send('POST', path, body, headers);
  }

  async get(runId: string): Promise<RunJson> {
    return JSON.parse((await this.send('GET', `runs/get?run_id=${runId}`)).text).run;
  }

  /** Searches runs; the default of `run_view_type` is ALL. */
  async search(body: object): Promise<{ runs: RunJson[]; token: string | undefined }> {
    const { status, text } = await this.post('runs/search', { run_view_type: 'ALL', ...body });
    expect({ status, text: status === 200 ? '' : text }).toEqual({ status: 200, text: '' });
    const response = JSON.parse(text);
    return { runs: response.runs ?? [], token: response.next_page_token };
  }

  /** The names of the runs that a search finds. */
  async names(body: object): Promise<(string | undefined)[]> {
    return (await this.search(body)).runs.map(({ info }) => info.run_name);
  }
}

export const codeOf = ({ status, text }: HttpResponse): [number, unknown] => [
  status,
  JSON.parse(text).error_code,
];
export const INVALID_PARAMETER = [400, 'INVALID_PARAMETER_VALUE'];
export const sorted = (list: readonly { key: string }[] = []) =>
  [...list].sort((a, b) => (a.key < b.key ? -1 : 1));
