import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HttpService } from '@nestjs/axios';
import { HttpMlflowClient } from '../../../src/ingestion/mlflow-client.js';
import type { MlflowClientOptions } from '../../../src/ingestion/mlflow-transport.js';
import { type Answer, answer, ScriptedServer } from '../../support/scripted-server.js';

/** The server's clock. */
export const DATE = 'Tue, 10 Mar 2026 15:30:00 GMT';
export const PAGE = '{\n  "runs": [{"info": {"run_id": "a"}}]\n}';
export const page = (body: string | Buffer = PAGE, headers: Record<string, string> = {}): Answer =>
  answer(200, body, { Date: DATE, ...headers });
export const QUERY = { experiment_ids: ['1', '2'], filter: 'attributes.start_time >= 5', max_results: 100 };

/** A server and a folder for each test of the file, and clients. The clients record their waits and do not wait. */
export class ClientFixture {
  server!: ScriptedServer;
  folder!: string;
  /** The waits between attempts, ms. */
  waits: number[] = [];

  constructor() {
    beforeEach(async () => {
      this.server = await ScriptedServer.start();
      this.folder = await mkdtemp(join(tmpdir(), 'mlflow-client-'));
      this.waits = [];
    });
    afterEach(async () => {
      await this.server.close();
      await rm(this.folder, { recursive: true, force: true });
    });
  }

  get file(): string {
    return join(this.folder, 'page.json');
  }

  client(options: Partial<MlflowClientOptions> = {}): HttpMlflowClient {
    return new HttpMlflowClient(new HttpService(), {
      uri: this.server.uri,
      insecureTls: false,
      maxRetries: 3,
      backoffSeconds: 2,
      timeoutSeconds: 30,
      concurrency: 2,
      maxPageBytes: 10_000,
      sleep: async (ms) => void this.waits.push(ms),
      ...options,
    });
  }

  search(options: Partial<MlflowClientOptions> = {}) {
    return this.client(options).searchRuns(QUERY, this.file);
  }
}
