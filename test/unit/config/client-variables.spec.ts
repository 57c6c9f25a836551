import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UNFOLLOWED, unfollowedVariables } from '../../../src/config/client-variables.js';
import { mlflowSettings, requestSettings } from '../../../src/config/upstream-settings.js';
import { findInEnvironment } from '../../support/mlflow-server.js';
import { skipSuite } from '../../support/skip.js';

const named = (env: Record<string, string>) => unfollowedVariables(env).map(({ name }) => name);

describe('unfollowedVariables', () => {
  it.each<[Record<string, string>, string[]]>([
    [{ MLFLOW_TRACKING_AWS_SIGV4: 'true' }, ['MLFLOW_TRACKING_AWS_SIGV4']],
    [{ MLFLOW_TRACKING_AWS_SIGV4: 'false' }, []],
    [{ MLFLOW_TRACKING_AUTH: 'kubernetes' }, ['MLFLOW_TRACKING_AUTH']],
    [{ MLFLOW_TRACKING_AUTH: '' }, []],
    [{ MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER: 'false' }, ['MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER']],
    [{ MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER: 'true' }, []],
    [{ all_proxy: 'socks5://proxy:1080' }, ['ALL_PROXY']],
    [{ ALL_PROXY: 'socks5://proxy:1080', http_proxy: 'http://proxy', HTTPS_PROXY: 'http://proxy' }, []],
    [{ MLFLOW_TRACKING_URI: 'http://a', MLFLOW_WORKSPACE: 'team-a' }, []],
  ])('of %j: %j', (env, names) => expect(named(env)).toEqual(names));
});

/** Of MLflow's server, or of what the service does not do: deploying models, and logging in to Databricks interactively. */
const NOT_OF_REQUESTS = new Set([
  'MLFLOW_DEPLOYMENT_PREDICT_TIMEOUT',
  'MLFLOW_DEPLOYMENT_PREDICT_TOTAL_TIMEOUT',
  'MLFLOW_ENABLE_DB_SDK',
]);
const CLIENT_FILES = [
  'utils/rest_utils.py',
  'utils/credentials.py',
  'utils/request_utils.py',
  'utils/workspace_context.py',
  'tracking/request_auth/registry.py',
];

const python = findInEnvironment('python');
if (python) {
  it('names every variable of the installed MLflow client that is no setting', () => {
    const library = join(python, '../../lib');
    const [version = ''] = readdirSync(library);
    const folder = join(library, version, 'site-packages/mlflow');
    const text = CLIENT_FILES.map((file) => readFileSync(join(folder, file), 'utf8')).join('\n');
    const names = new Set(text.match(/(?<!\w)(MLFLOW|DATABRICKS)_[A-Z0-9_]+/g));
    const known = new Set([...Object.keys({ ...mlflowSettings, ...requestSettings }), ...UNFOLLOWED]);
    expect(names.size).toBeGreaterThan(20);
    expect([...names].filter((name) => !known.has(name) && !NOT_OF_REQUESTS.has(name))).toEqual([]);
  });
} else {
  skipSuite('the variables of MLflow', 'MLflow (sh test/independent/venv.sh)');
}
