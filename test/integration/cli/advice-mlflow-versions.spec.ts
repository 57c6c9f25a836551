import { checkMlflow } from '../../../src/cli/validate-mlflow.js';
import { loadSettings } from '../../../src/config/settings.js';
import { expectAdvice } from '../../support/advice.js';
import { type Answer, answer } from '../../support/scripted-server.js';
import { checkTracking, MlflowFront } from './mlflow-front.js';

let front: MlflowFront;
beforeAll(async () => {
  front = await MlflowFront.start();
});
afterAll(() => front.close());

const NOT_FOUND =
  '<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n<p>The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again.</p>\n';
const EXPERIMENTS = JSON.stringify({
  experiments: [
    {
      experiment_id: '0',
      name: 'Default',
      artifact_location: 'mlflow-artifacts:/0',
      lifecycle_stage: 'active',
      last_update_time: 1796009030230,
      creation_time: 1796009030230,
    },
  ],
});
/** What `mlflow server` 2.22.1 (from PyPI, on SQLite) answered to these requests, also with the header `X-MLFLOW-WORKSPACE`. */
const MLFLOW_2_22: Readonly<Record<string, Answer>> = {
  '/version': answer(200, '2.22.1', { 'Content-Type': 'text/html; charset=utf-8' }),
  '/api/3.0/mlflow/server-info': answer(404, NOT_FOUND, { 'Content-Type': 'text/html; charset=utf-8' }),
  '/api/2.0/mlflow/experiments/search': answer(200, EXPERIMENTS, { 'Content-Type': 'application/json' }),
  '/api/2.0/mlflow/runs/search': answer(200, '{}', { 'Content-Type': 'application/json' }),
};
const recorded = () =>
  front.answers((response, received) =>
    (MLFLOW_2_22[received.url] ?? answer(404, NOT_FOUND))(response, received),
  );

describe('what validate says about MLflow 2.22', () => {
  it('a workspace, which it ignores', () =>
    expectAdvice(
      {
        situation: '',
        before: recorded,
        env: () => front.at({ MLFLOW_WORKSPACE: 'team-a' }),
        found: () => `MLFLOW_WORKSPACE is team-a, but MLflow at ${front.front.uri} has no workspaces`,
        todo: () => 'Unset MLFLOW_WORKSPACE, or start MLflow with --enable-workspaces',
        follow: () => front.at(),
      },
      'MLflow',
      checkTracking,
    ));

  it('its version', async () => {
    recorded();
    const { findings } = await checkMlflow(loadSettings(front.at()));
    expect(findings).toContainEqual({
      state: 'note',
      what: 'MLflow version',
      found: '2.22.1; tested with MLflow 3',
    });
  });
});
