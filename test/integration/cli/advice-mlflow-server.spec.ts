import { type Env, type Situation } from '../../support/advice.js';
import { findMlflow, type MlflowServer, startMlflow } from '../../support/mlflow-server.js';
import { findNginx, type RunningProxy, startNginx } from '../../support/proxies.js';
import { freePort } from '../../support/redis-server.js';
import { skipSuite } from '../../support/skip.js';
import { mlflowTable, responded } from './mlflow-front.js';

const mlflow = findMlflow();
const nginx = findNginx();
if (mlflow && nginx) {
  let server: MlflowServer;
  let proxy: RunningProxy;
  let renaming: number;
  let keeping: number;

  beforeAll(async () => {
    server = await startMlflow(mlflow, ['--enable-workspaces']);
    await fetch(`${server.uri}/api/3.0/mlflow/workspaces`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ name: 'team-a' }),
    });
    await fetch(`${server.uri}/api/2.0/mlflow/experiments/create`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-MLFLOW-WORKSPACE': 'team-a' },
      body: JSON.stringify({ name: 'churn' }),
    });
    renaming = await freePort();
    keeping = await freePort();
    const pass = (name: string) => `location / { proxy_pass ${server.uri}; proxy_set_header Host ${name}; }`;
    proxy = await startNginx(
      nginx,
      new Map([
        [renaming, pass('mlflow.corp.example')],
        [keeping, pass('$http_host')],
      ]),
    );
  });
  afterAll(async () => {
    await proxy.stop();
    await server.stop();
  });

  const at = (more: Env = {}): Env => ({
    MLFLOW_TRACKING_URI: server.uri,
    MLFLOW_HTTP_REQUEST_TIMEOUT: '10',
    ...more,
  });
  const rows: Situation[] = [
    {
      situation: 'there is no such workspace',
      env: () => at({ MLFLOW_WORKSPACE: 'team-b' }),
      found: () =>
        responded(
          '404',
          '{"error_code":"RESOURCE_DOES_NOT_EXIST","message":"Workspace \'team-b\' not found","sqlstate":"KAM00","error_class":"RESOURCE_NOT_FOUND"}',
        ),
      todo: () => 'Correct MLFLOW_WORKSPACE: the server has no workspace team-b',
      follow: () => at({ MLFLOW_WORKSPACE: 'team-a' }),
    },
    {
      situation: 'it does not allow the name that nginx sends',
      env: () => at({ MLFLOW_TRACKING_URI: `http://127.0.0.1:${renaming}` }),
      found: () => responded('403', 'Invalid Host header - possible DNS rebinding attack detected'),
      todo: () =>
        `Start the tracking server with --allowed-hosts '127.0.0.1:${renaming}' (or MLFLOW_SERVER_ALLOWED_HOSTS); if a reverse proxy stands in front of it, let it send this name, or allow the name that it sends`,
      follow: () => at({ MLFLOW_TRACKING_URI: `http://127.0.0.1:${keeping}` }),
    },
  ];

  describe('what is said about a real MLflow with workspaces', () => {
    mlflowTable(rows);
  });
} else {
  skipSuite('advice about a real MLflow', 'MLflow (bash test/independent/venv.sh) and nginx');
}
