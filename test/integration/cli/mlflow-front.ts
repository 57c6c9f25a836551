import { checkMlflow } from '../../../src/cli/validate-mlflow.js';
import { loadSettings } from '../../../src/config/settings.js';
import { TrackingServer } from '../../../src/demo/tracking-server.js';
import { type Env, expectAdvice, expectSaidWhileRunning, type Situation } from '../../support/advice.js';
import { type Answer, answer, ScriptedServer } from '../../support/scripted-server.js';

export const API = '/api/2.0/mlflow/';
export const PASSWORD = 'MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD';
const EXPERIMENT = { experiment_id: '0', name: 'Default', lifecycle_stage: 'active', creation_time: 1 };

/** MLflow works at one address; what stands in front of it, or in its place, answers at another one. */
export class MlflowFront {
  private constructor(
    readonly mlflow: TrackingServer,
    readonly front: ScriptedServer,
  ) {}

  static async start(): Promise<MlflowFront> {
    const mlflow = await TrackingServer.start();
    const { experiment_id } = mlflow.experiment('churn');
    mlflow.run({ experiment_id, start_time: Date.now(), metrics: [] });
    return new MlflowFront(mlflow, await ScriptedServer.start());
  }

  /** Settings for the address of what stands in front. */
  at(env: Env = {}): Env {
    return { MLFLOW_TRACKING_URI: this.front.uri, ...env };
  }

  direct(): Env {
    return { MLFLOW_TRACKING_URI: this.mlflow.uri };
  }

  answers(script: Answer): void {
    this.front.script = [script];
  }

  get host(): string {
    return new URL(this.front.uri).host;
  }

  async close(): Promise<void> {
    await Promise.all([this.mlflow.close(), this.front.close()]);
  }
}

/** Answers like MLflow if the request has what is needed, else as scripted. */
export const unless =
  (allowed: (headers: Record<string, unknown>) => boolean, refusal: Answer): Answer =>
  (response, received) => {
    if (!allowed(received.headers)) return refusal(response, received);
    const found = received.url.endsWith('experiments/search') ? { experiments: [EXPERIMENT] } : {};
    answer(200, JSON.stringify(found))(response, received);
  };
export const always = unless(() => true, answer(500));

export const unreachable = (uri: string, reason: string): string =>
  `MLflow at ${uri} is unreachable: ${reason}`;
export const responded = (status: string, text = ''): string =>
  `MLflow responded to experiments/search with ${status}${text && `: ${text}`}`;
export const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

/** The page of nginx for an error, as it is in a message. */
export const nginxPage = (title: string): string =>
  `<html> <head><title>${title}</title></head> <body> <center><h1>${title}</h1></center> <hr><center>nginx</center> </body> </html>`;

/** As `nginxPage`, for what is wrong with TLS. */
export const nginxTlsPage = (problem: string): string =>
  `<html> <head><title>400 ${problem}</title></head> <body> <center><h1>400 Bad Request</h1></center> <center>${problem}</center> <hr><center>nginx</center> </body> </html>`;

/** What `validate` finds out about MLflow. */
export const checkTracking = async (env: Env) =>
  (await checkMlflow(loadSettings({ MLFLOW_HTTP_REQUEST_TIMEOUT: '1', ...env }))).findings;

/**
 * Tests each row of a table: `validate`, then what a running service says in `/health`, in `GET /api/v1/errors` and on the page.
 * @param before prepares every row
 */
export function mlflowTable(rows: readonly Situation[], before?: () => void): void {
  it.each(rows)('$situation', async (row) => {
    before?.();
    const env = () => ({ MLFLOW_HTTP_REQUEST_TIMEOUT: '1', ...row.env() });
    await expectAdvice(row, 'MLflow', checkTracking, () => expectSaidWhileRunning({ ...row, env }));
  });
}
