import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Env, type Situation } from '../../support/advice.js';
import { findNginx, type RunningProxy, startNginx } from '../../support/proxies.js';
import { freePort } from '../../support/redis-server.js';
import { skipSuite } from '../../support/skip.js';
import {
  always,
  MlflowFront,
  mlflowTable,
  nginxPage,
  PASSWORD,
  responded,
  unreachable,
} from './mlflow-front.js';

const PORTS = ['login', 'page', 'broken', 'small', 'prefix', 'password', 'busy', 'plain'] as const;
type Name = (typeof PORTS)[number];

const nginx = findNginx();
if (nginx) {
  let front: MlflowFront;
  let folder: string;
  let ports: Readonly<Record<Name, number>>;
  let running: RunningProxy;

  beforeAll(async () => {
    front = await MlflowFront.start();
    folder = await mkdtemp(join(tmpdir(), 'advice-nginx-'));
    const found: Record<string, number> = {};
    for (const name of PORTS) found[name] = await freePort();
    ports = found as Record<Name, number>;
    const pass = `proxy_pass ${front.mlflow.uri};`;
    await writeFile(join(folder, 'passwords'), 'me:{PLAIN}right\n');
    running = await startNginx(
      nginx,
      new Map([
        [
          ports.login,
          `server_tokens off; location / { if ($http_x_key = '') { return 302 https://login.example.com/start?rd=secret; } ${pass} }`,
        ],
        [ports.page, `location / { default_type text/html; return 200 '<html>Sign in</html>'; }`],
        [ports.broken, `server_tokens off; location / { proxy_pass ${front.front.uri}; }`],
        [ports.small, `server_tokens off; location / { client_max_body_size 8; ${pass} }`],
        [
          ports.prefix,
          `server_tokens off; root ${folder}/none; location /mlflow/ { proxy_pass ${front.mlflow.uri}/; }`,
        ],
        [
          ports.password,
          `server_tokens off; location / { auth_basic MLflow; auth_basic_user_file ${folder}/passwords; ${pass} }`,
        ],
        [ports.busy, `server_tokens off; location / { return 503; }`],
        [ports.plain, `location / { ${pass} }`],
      ]),
    );
  });
  afterAll(async () => {
    await running.stop();
    await front.close();
    await rm(folder, { recursive: true, force: true });
  });

  const at = (name: Name, more: Env = {}): Env => ({
    MLFLOW_TRACKING_URI: `http://127.0.0.1:${ports[name]}`,
    ...more,
  });
  const direct = () => front.direct();

  const plain: Situation[] = [
    {
      situation: 'a redirect to a login, which lets a header pass',
      env: () => at('login'),
      found: () => responded('302 to https://login.example.com/start', nginxPage('302 Found')),
      todo: () =>
        `A login stands in front of the tracking server and leads to https://login.example.com/start. Set MLFLOW_TRACKING_TOKEN or MLFLOW_TRACKING_HEADERS to what it accepts from programs, or MLFLOW_TRACKING_URI to the address behind it (now 127.0.0.1:${ports.login})`,
      follow: () => at('login', { MLFLOW_TRACKING_HEADERS: 'X-Key=k' }),
    },
    {
      situation: 'the page of a login',
      env: () => at('page'),
      found: () => "MLflow's response to experiments/search is invalid: not a list of experiments in JSON",
      todo: () =>
        'Correct MLFLOW_TRACKING_URI: at this address something else answers, such as a login page or another server',
      follow: direct,
    },
    {
      situation: 'MLflow closes the connection without an answer',
      before: () => front.answers((response) => void response.destroy()),
      env: () => at('broken'),
      found: () => responded('502', nginxPage('502 Bad Gateway')),
      todo: () =>
        `Start the tracking server: what stands in front of it at 127.0.0.1:${ports.broken} cannot reach it`,
      follow: () => {
        front.answers(always);
        return at('broken');
      },
    },
    {
      situation: 'an answer that ends early',
      before: () =>
        front.answers((response) => {
          response.writeHead(200, { 'Content-Length': 10_000 });
          response.write('{"experiments": [', () => response.destroy());
        }),
      env: () => at('broken'),
      found: () => unreachable(`http://127.0.0.1:${ports.broken}`, 'aborted'),
      todo: () =>
        'Look into the logs of the tracking server and of what stands in front of it: a response ended early',
      follow: () => {
        front.answers(always);
        return at('broken');
      },
    },
    {
      situation: 'requests may have 8 bytes',
      env: () => at('small'),
      found: () => responded('413', nginxPage('413 Request Entity Too Large')),
      todo: () =>
        `Let what answers at 127.0.0.1:${ports.small} accept larger requests (nginx: client_max_body_size)`,
      follow: () => at('plain'),
    },
    {
      situation: 'MLflow is below a path',
      env: () => at('prefix'),
      found: () => responded('404', nginxPage('404 Not Found')),
      todo: () =>
        `Correct the path of MLFLOW_TRACKING_URI: no tracking server has its API below http://127.0.0.1:${ports.prefix}`,
      follow: () => ({ MLFLOW_TRACKING_URI: `http://127.0.0.1:${ports.prefix}/mlflow` }),
    },
    {
      situation: 'nginx asks for a password',
      env: () => at('password'),
      found: () => responded('401', nginxPage('401 Authorization Required')),
      todo: () => `Set ${PASSWORD}`,
      follow: () => at('password', { MLFLOW_TRACKING_USERNAME: 'me', MLFLOW_TRACKING_PASSWORD: 'right' }),
    },
    {
      situation: 'nginx asks for another password',
      env: () => at('password', { MLFLOW_TRACKING_USERNAME: 'me', MLFLOW_TRACKING_PASSWORD: 'wrong' }),
      found: () => responded('401', nginxPage('401 Authorization Required')),
      todo: () => `Correct ${PASSWORD}`,
      follow: () => at('password', { MLFLOW_TRACKING_USERNAME: 'me', MLFLOW_TRACKING_PASSWORD: 'right' }),
    },
    {
      situation: 'maintenance, or a limit of requests as nginx answers it by default',
      env: () => at('busy'),
      found: () => responded('503', nginxPage('503 Service Temporarily Unavailable')),
      todo: () =>
        `Start the tracking server; if what stands in front of it at 127.0.0.1:${ports.busy} limits requests, lower MLFLOW_MAX_RPS or MLFLOW_CONCURRENCY`,
      follow: () => at('plain'),
    },
  ];
  describe('what is said if nginx stands in front of MLflow', () => {
    mlflowTable(plain);
  });
} else {
  skipSuite('advice about nginx in front of MLflow', 'nginx on PATH');
}
