import { TrackingServer } from '../../../src/demo/tracking-server.js';
import { describeTrackingServer } from './contract.js';
import type { Subject } from './contract-client.js';

async function demoServer(): Promise<Subject> {
  const server = await TrackingServer.start();
  let created = 0;
  return {
    uri: server.uri,
    async experiment(name, tags) {
      return server.experiment(name, tags).experiment_id;
    },
    async run(
      experiment_id,
      { name, start = null, end = null, status = 'RUNNING', metrics = {}, params, tags },
    ) {
      const { run_id } = server.run({
        // Not in the order of creation, like in MLflow.
        run_id: `run${999_999 - created++}`,
        run_name: name,
        experiment_id,
        start_time: start,
        end_time: end,
        status,
        metrics: Object.entries(metrics).map(([key, { value, step = 0n, timestamp = 0 }]) => ({
          key,
          value,
          step: Number.isSafeInteger(Number(step)) ? Number(step) : step,
          timestamp,
        })),
        params: { ...params },
        tags: { ...tags },
      });
      return run_id;
    },
    async deleteRun(runId) {
      const run = server.runs.get(runId);
      if (run) run.lifecycle_stage = 'deleted';
    },
    async deleteExperiment(experimentId) {
      server.deleteExperiment(experimentId);
    },
    async dropName(runId) {
      const run = server.runs.get(runId);
      if (run) run.run_name = null;
    },
    async modelVersion(name, runId) {
      server.models.create(name, runId);
    },
    async setAlias(name, alias, version) {
      server.models.setAlias(name, alias, Number(version));
    },
    stop: () => server.close(),
  };
}

describe('the demo server', () => {
  describeTrackingServer(demoServer);
});
