import { request as httpRequest } from 'node:http';

/** A run as the suite writes it; a server may give it another id. */
export interface WrittenRun {
  readonly name: string;
  readonly start?: number;
  readonly end?: number;
  readonly status?: 'RUNNING' | 'SCHEDULED' | 'FINISHED' | 'FAILED' | 'KILLED';
  readonly metrics?: Readonly<Record<string, { value: number; step?: bigint; timestamp?: number }>>;
  readonly params?: Readonly<Record<string, string>>;
  readonly tags?: Readonly<Record<string, string>>;
}

/** One tracking server, and how to write to it. */
export interface Subject {
  readonly uri: string;
  experiment(name: string, tags?: Record<string, string>): Promise<string>;
  /** @returns the run's id */
  run(experimentId: string, run: WrittenRun): Promise<string>;
  deleteRun(runId: string): Promise<void>;
  deleteExperiment(experimentId: string): Promise<void>;
  /** Writes as many runs like it, each started a millisecond after the one before. */
  copies(runId: string, count: number): Promise<void>;
  /** Takes the name from a run, as runs of MLflow 1 have none. */
  dropName(runId: string): Promise<void>;
  stop(): Promise<void>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}
export interface SentRun {
  info: Record<string, unknown> & { run_id: string; run_name?: string };
  data: {
    metrics?: { key: string; value: number | string; step: number; timestamp: number }[];
    params?: { key: string; value: string }[];
    tags?: { key: string; value: string }[];
  };
  inputs: object;
}

export const IN_START_ORDER = ['attributes.start_time ASC'];

/** Asks the server under test. */
export class Talk {
  constructor(readonly subject: () => Subject) {}

  send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
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

  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Answer> {
    return this.send('POST', path, body, headers);
  }

  async get(runId: string): Promise<SentRun> {
    return JSON.parse((await this.send('GET', `runs/get?run_id=${runId}`)).text).run;
  }

  /** Searches runs, view ALL unless the body says another. */
  async search(body: object): Promise<{ runs: SentRun[]; token: string | undefined }> {
    const { status, text } = await this.post('runs/search', { run_view_type: 'ALL', ...body });
    expect({ status, text: status === 200 ? '' : text }).toEqual({ status: 200, text: '' });
    const answer = JSON.parse(text);
    return { runs: answer.runs ?? [], token: answer.next_page_token };
  }

  async names(body: object): Promise<(string | undefined)[]> {
    return (await this.search(body)).runs.map(({ info }) => info.run_name);
  }
}

export const codeOf = ({ status, text }: Answer): [number, unknown] => [status, JSON.parse(text).error_code];
export const REFUSED = [400, 'INVALID_PARAMETER_VALUE'];
export const sorted = (list: readonly { key: string }[] = []) =>
  [...list].sort((a, b) => (a.key < b.key ? -1 : 1));
