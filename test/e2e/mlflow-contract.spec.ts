import { describeTrackingServer } from '../integration/demo/contract.js';
import type { Subject } from '../integration/demo/contract-client.js';
import { findMlflow, startMlflow } from '../support/mlflow-server.js';
import { skipSuite } from '../support/skip.js';

const pairs = (record: Readonly<Record<string, string>> = {}) =>
  Object.entries(record).map(([key, value]) => ({ key, value }));

/** JSON has no NaN, no infinity and no integers beyond the precision of a double; MLflow accepts them as text. */
const text = (value: number | bigint): number | string =>
  typeof value === 'bigint' || !Number.isFinite(value) ? String(value) : value;

/** MLflow's response to a create request. */
interface CreateResponse {
  readonly experiment_id: string;
  readonly run: { readonly info: { readonly run_id: string } };
}

async function realServer(program: string): Promise<Subject> {
  const server = await startMlflow(program);
  const post = async (path: string, body: object) => {
    const response = await fetch(`${server.uri}/api/2.0/mlflow/${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as CreateResponse;
  };
  return {
    uri: server.uri,
    async experiment(name, tags) {
      return (await post('experiments/create', { name, tags: pairs(tags) })).experiment_id;
    },
    async run(experiment_id, { name, start, end, status, metrics = {}, params, tags }) {
      const body = {
        experiment_id,
        run_name: name,
        tags: pairs(tags),
        ...(start === undefined ? {} : { start_time: start }),
      };
      const { run_id } = (await post('runs/create', body)).run.info;
      const entries = Object.entries(metrics).map(([key, { value, step = 0n, timestamp = 0 }]) => ({
        key,
        value: text(value),
        step: text(step),
        timestamp,
      }));
      if (entries.length > 0 || params)
        await post('runs/log-batch', { run_id, metrics: entries, params: pairs(params) });
      if (status)
        await post('runs/update', { run_id, status, ...(end === undefined ? {} : { end_time: end }) });
      return run_id;
    },
    async deleteRun(run_id) {
      await post('runs/delete', { run_id });
    },
    async deleteExperiment(experiment_id) {
      await post('experiments/delete', { experiment_id });
    },
    async dropName(runId) {
      await server.sql(`UPDATE runs SET name = NULL WHERE run_uuid = '${runId}'`);
      await server.sql(`DELETE FROM tags WHERE run_uuid = '${runId}' AND key = 'mlflow.runName'`);
    },
    async modelVersion(name, run_id) {
      // The model exists from its second version on.
      await post('registered-models/create', { name }).catch((error: Error) => {
        if (!error.message.includes('RESOURCE_ALREADY_EXISTS')) throw error;
      });
      await post('model-versions/create', {
        name,
        source: 's3://models/model',
        ...(run_id ? { run_id } : {}),
      });
    },
    async setAlias(name, alias, version) {
      await post('registered-models/alias', { name, alias, version });
    },
    stop: () => server.stop(),
  };
}

const program = findMlflow();
if (program) {
  describe('MLflow', () => {
    describeTrackingServer(() => realServer(program));
  });
} else {
  skipSuite('the contract suite on a real MLflow', 'MLflow (sh test/independent/venv.sh)');
}
