import { checkMlflow } from '../../../src/cli/validate-mlflow.js';
import { loadSettings } from '../../../src/config/settings.js';
import { TrackingServer } from '../../../src/demo/tracking-server.js';
import { type Env, expectAdvice, type Situation } from '../../support/advice.js';
import { ForwardProxy } from '../../support/forward-proxy.js';
import { freePort } from '../../support/redis-server.js';
import { type Answer, answer, ScriptedServer } from '../../support/scripted-server.js';
import { SilentServer } from '../../support/silent-server.js';

/** MLflow works at this address; what stands in front of it, or in its place, answers at `front`. */
let mlflow: TrackingServer;
let front: ScriptedServer;
let proxy: ForwardProxy;
let silent: SilentServer;
let free: number;

beforeAll(async () => {
  mlflow = await TrackingServer.start();
  const { experiment_id } = mlflow.experiment('churn');
  mlflow.run({ experiment_id, start_time: Date.now(), metrics: [] });
  front = await ScriptedServer.start();
  silent = await SilentServer.start();
  free = await freePort();
  proxy = await ForwardProxy.start({ 'mlflow.corp.example': Number(new URL(front.uri).port) });
});
afterAll(async () => {
  await Promise.all([mlflow.close(), front.close(), proxy.close(), silent.close()]);
});

const check = async (env: Env) =>
  (await checkMlflow(loadSettings({ MLFLOW_HTTP_REQUEST_TIMEOUT: '1', ...env }))).findings;
const table = (rows: readonly Situation[], before?: () => void) =>
  it.each(rows)('$situation', async (row) => {
    before?.();
    await expectAdvice(row, 'MLflow', check);
  });

const hostOf = (uri: string): string => new URL(uri).host;
const atFront = (env: Env = {}): Env => ({ MLFLOW_TRACKING_URI: front.uri, ...env });
const direct = (): Env => ({ MLFLOW_TRACKING_URI: mlflow.uri });
const unreachable = (uri: string, reason: string): string => `MLflow at ${uri} is unreachable: ${reason}`;
const responded = (status: string, text = ''): string =>
  `MLflow responded to experiments/search with ${status}${text && `: ${text}`}`;

/** Answers like MLflow if the request has what is needed, else as scripted. */
const unless =
  (allowed: (headers: Record<string, unknown>) => boolean, refusal: Answer): Answer =>
  (response, received) => {
    if (!allowed(received.headers)) return refusal(response, received);
    const found = received.url.endsWith('experiments/search') ? { experiments: [EXPERIMENT] } : {};
    answer(200, JSON.stringify(found))(response, received);
  };
const always = unless(() => true, answer(500));
const EXPERIMENT = { experiment_id: '0', name: 'Default', lifecycle_stage: 'active', creation_time: 1 };
const scripted = (script: Answer) => () => {
  front.script = [script];
};

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
const NOT_AUTHENTICATED = 'You are not authenticated.';
// The headers and texts of MLflow 3.17 with `--app-name basic-auth`.
const needsBasic = unless(
  ({ authorization }) => authorization === basic('me:right'),
  answer(401, NOT_AUTHENTICATED, { 'WWW-Authenticate': 'Basic realm="mlflow"' }),
);
const needsBearer = unless(
  ({ authorization }) => authorization === 'Bearer right',
  answer(401, 'no', { 'WWW-Authenticate': 'Bearer' }),
);
const USER = { MLFLOW_TRACKING_USERNAME: 'me', MLFLOW_TRACKING_PASSWORD: 'right' };
const PASSWORD = 'MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD';
const DENIED = '{"error_code": "PERMISSION_DENIED", "message": "Permission denied"}';
const API = '/api/2.0/mlflow/';

describe('what validate says if the tracking server cannot be reached', () => {
  table([
    {
      situation: 'nothing listens at the address',
      env: () => ({ MLFLOW_TRACKING_URI: `http://127.0.0.1:${free}` }),
      found: () => unreachable(`http://127.0.0.1:${free}`, `connect ECONNREFUSED 127.0.0.1:${free}`),
      todo: () => 'Start the tracking server, or correct MLFLOW_TRACKING_URI',
      follow: direct,
    },
    {
      situation: 'it accepts connections and stays silent',
      env: () => ({ MLFLOW_TRACKING_URI: `http://127.0.0.1:${silent.port}` }),
      found: () => unreachable(`http://127.0.0.1:${silent.port}`, 'no data for 1 s'),
      todo: () =>
        `Find out why the tracking server does not answer, open the firewall to 127.0.0.1:${silent.port}, or correct MLFLOW_TRACKING_URI; if only a proxy reaches it, set HTTP_PROXY`,
      follow: direct,
    },
    {
      situation: 'its name does not exist, but the proxy knows it',
      before: scripted(always),
      env: () => ({ MLFLOW_TRACKING_URI: 'http://mlflow.corp.example:5000' }),
      found: () =>
        unreachable('http://mlflow.corp.example:5000', 'getaddrinfo ENOTFOUND mlflow.corp.example'),
      todo: () => 'Correct the host name in MLFLOW_TRACKING_URI; if only a proxy knows it, set HTTP_PROXY',
      follow: () => ({ MLFLOW_TRACKING_URI: 'http://mlflow.corp.example:5000', HTTP_PROXY: proxy.url }),
    },
  ]);
});

describe('what validate says if a login or another server answers', () => {
  table([
    {
      situation: 'a redirect to a login, which lets tokens of a header pass',
      before: scripted(
        unless(
          (headers) => headers['cf-access-client-id'] === 'a,b',
          answer(302, '', { Location: 'https://team.example.com/cdn-cgi/access/login?kid=secret' }),
        ),
      ),
      env: () => atFront(),
      found: () => responded('302 to https://team.example.com/cdn-cgi/access/login'),
      todo: () =>
        `A login stands in front of the tracking server and leads to https://team.example.com/cdn-cgi/access/login. Set MLFLOW_TRACKING_TOKEN or MLFLOW_TRACKING_HEADERS to what it accepts from programs, or MLFLOW_TRACKING_URI to the address behind it (now ${hostOf(front.uri)})`,
      follow: () => atFront({ MLFLOW_TRACKING_HEADERS: 'CF-Access-Client-Id=a%2Cb' }),
    },
    {
      situation: 'a redirect of the same request to another address',
      before: scripted((response, received) =>
        answer(308, '', { Location: `${mlflow.uri}${received.url}` })(response, received),
      ),
      env: () => atFront(),
      found: () => responded(`308 to ${mlflow.uri}${API}experiments/search`),
      todo: () => `Set MLFLOW_TRACKING_URI to ${mlflow.uri}`,
      follow: direct,
    },
    {
      situation: 'the page of a login',
      before: scripted(answer(200, '<html>Sign in</html>')),
      env: () => atFront(),
      found: () => "MLflow's response to experiments/search is invalid: not a list of experiments in JSON",
      todo: () =>
        'Correct MLFLOW_TRACKING_URI: at this address something else answers, such as a login page or another server',
      follow: direct,
    },
    {
      situation: 'another path of the server',
      before: scripted(answer(404, '<html>404 Not Found</html>')),
      env: () => atFront({ MLFLOW_TRACKING_URI: `${front.uri}/mlflow` }),
      found: () => responded('404', '<html>404 Not Found</html>'),
      todo: () =>
        `Correct the path of MLFLOW_TRACKING_URI: no tracking server has its API below ${front.uri}/mlflow`,
      follow: direct,
    },
    {
      situation: 'a web server that takes no POST',
      before: scripted(answer(405, 'no')),
      env: () => atFront(),
      found: () => responded('405', 'no'),
      todo: () =>
        `Correct the path of MLFLOW_TRACKING_URI: no tracking server has its API below ${front.uri}`,
      follow: direct,
    },
    {
      situation: 'a gateway that cannot reach the server',
      before: scripted(answer(502, '<html>502 Bad Gateway</html>')),
      env: () => atFront(),
      found: () => responded('502', '<html>502 Bad Gateway</html>'),
      todo: () =>
        `Start the tracking server: what stands in front of it at ${hostOf(front.uri)} cannot reach it`,
      follow: () => {
        front.script = [always];
        return atFront();
      },
    },
    {
      situation: 'a limit of requests',
      before: scripted(answer(429, 'slow down')),
      env: () => atFront(),
      found: () => responded('429', 'slow down'),
      todo: () => 'Lower MLFLOW_MAX_RPS or MLFLOW_CONCURRENCY',
      follow: () => {
        front.script = [always];
        return atFront({ MLFLOW_MAX_RPS: '50' });
      },
    },
    {
      situation: 'an error of the server itself',
      before: scripted(answer(500, '{"error_code": "INTERNAL_ERROR"}')),
      env: () => atFront(),
      found: () => responded('500', '{"error_code": "INTERNAL_ERROR"}'),
      todo: () => 'Look into the log of the tracking server',
      follow: direct,
    },
  ]);
});

describe('what validate says if the credentials are wrong', () => {
  table([
    {
      situation: 'none, where a password is needed',
      before: scripted(needsBasic),
      env: () => atFront(),
      found: () => responded('401', NOT_AUTHENTICATED),
      todo: () => `Set ${PASSWORD}`,
      follow: () => atFront(USER),
    },
    {
      situation: 'a wrong password',
      before: scripted(needsBasic),
      env: () => atFront({ ...USER, MLFLOW_TRACKING_PASSWORD: 'wrong' }),
      found: () => responded('401', NOT_AUTHENTICATED),
      todo: () => `Correct ${PASSWORD}`,
      follow: () => atFront(USER),
    },
    {
      situation: 'a token, where a password is needed',
      before: scripted(needsBasic),
      env: () => atFront({ MLFLOW_TRACKING_TOKEN: 'right' }),
      found: () => responded('401', NOT_AUTHENTICATED),
      todo: () => `Unset MLFLOW_TRACKING_TOKEN and set ${PASSWORD}: the server asks for these`,
      follow: () => atFront(USER),
    },
    {
      situation: 'none, where a token is needed',
      before: scripted(needsBearer),
      env: () => atFront(),
      found: () => responded('401', 'no'),
      todo: () => 'Set MLFLOW_TRACKING_TOKEN',
      follow: () => atFront({ MLFLOW_TRACKING_TOKEN: 'right' }),
    },
    {
      situation: 'a wrong token',
      before: scripted(needsBearer),
      env: () => atFront({ MLFLOW_TRACKING_TOKEN: 'wrong' }),
      found: () => responded('401', 'no'),
      todo: () => 'Correct MLFLOW_TRACKING_TOKEN',
      follow: () => atFront({ MLFLOW_TRACKING_TOKEN: 'right' }),
    },
    {
      situation: 'a password, where a token is needed',
      before: scripted(needsBearer),
      env: () => atFront(USER),
      found: () => responded('401', 'no'),
      todo: () => `Unset ${PASSWORD} and set MLFLOW_TRACKING_TOKEN: the server asks for it`,
      follow: () => atFront({ MLFLOW_TRACKING_TOKEN: 'right' }),
    },
    {
      situation: 'none, and the server does not say what it needs',
      before: scripted(unless(({ authorization }) => authorization !== undefined, answer(401, 'no'))),
      env: () => atFront(),
      found: () => responded('401', 'no'),
      todo: () => `Set ${PASSWORD}, or MLFLOW_TRACKING_TOKEN`,
      follow: () => atFront(USER),
    },
    {
      situation: 'a user without the permission to list experiments',
      before: scripted(answer(403, DENIED)),
      env: () => atFront(USER),
      found: () => responded('403', DENIED),
      todo: () => 'Give the user me the permission READ on all experiments',
      follow: () => {
        front.script = [needsBasic];
        return atFront(USER);
      },
    },
    {
      situation: 'a gateway that expects a header',
      before: scripted(unless((headers) => headers['x-key'] === 'k', answer(403, 'Forbidden'))),
      env: () => atFront(),
      found: () => responded('403', 'Forbidden'),
      todo: () =>
        `Set ${PASSWORD}, MLFLOW_TRACKING_TOKEN or MLFLOW_TRACKING_HEADERS: what answers at ${hostOf(front.uri)} denies access`,
      follow: () => atFront({ MLFLOW_TRACKING_HEADERS: 'X-Key=k' }),
    },
    {
      // The text of Amazon API Gateway: docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
      situation: 'a gateway of AWS that expects signatures',
      before: scripted(answer(403, '{"message":"Missing Authentication Token"}')),
      env: () => atFront(),
      found: () => responded('403', '{"message":"Missing Authentication Token"}'),
      todo: () =>
        'Set MLFLOW_TRACKING_URI to a proxy that signs requests for AWS, such as aws-sigv4-proxy: this service does not sign them',
      follow: direct,
    },
  ]);
});

describe('what validate says about the proxy of HTTP_PROXY', () => {
  const named = (env: Env = {}): Env => ({
    MLFLOW_TRACKING_URI: 'http://mlflow.corp.example:5000',
    HTTP_PROXY: proxy.url,
    ...env,
  });
  table(
    [
      {
        situation: 'nothing listens there',
        env: () => named({ HTTP_PROXY: `127.0.0.1:${free}` }),
        found: () =>
          unreachable(
            'http://mlflow.corp.example:5000',
            `connect ECONNREFUSED 127.0.0.1:${free} through the proxy http://127.0.0.1:${free} (HTTP_PROXY)`,
          ),
        todo: () =>
          `Start the proxy http://127.0.0.1:${free}, correct HTTP_PROXY, or add mlflow.corp.example to NO_PROXY`,
        follow: () => named(),
      },
      {
        situation: 'its name does not exist',
        env: () => named({ HTTP_PROXY: 'http://proxy.invalid:3128' }),
        found: () =>
          unreachable(
            'http://mlflow.corp.example:5000',
            'getaddrinfo ENOTFOUND proxy.invalid through the proxy http://proxy.invalid:3128 (HTTP_PROXY)',
          ),
        todo: () => 'Correct the host name in HTTP_PROXY',
        follow: () => named(),
      },
      {
        situation: 'it needs a password',
        before: () => {
          proxy.authorization = basic('me:p@ss');
        },
        env: () => named(),
        found: () => responded('407', '<html>The proxy denies this.</html>'),
        todo: () =>
          `Put the user name and password of the proxy ${proxy.url} into HTTP_PROXY, as in http://user:password@proxy.example.com:3128`,
        follow: () => named({ HTTP_PROXY: proxy.url.replace('//', '//me:p%40ss@') }),
      },
      {
        situation: 'it denies the address',
        before: () => {
          proxy.refuses = true;
        },
        env: () => named(),
        found: () => responded('403', '<html>The proxy denies this.</html>'),
        todo: () =>
          `Let the proxy ${proxy.url} (HTTP_PROXY) pass requests to mlflow.corp.example:5000, or add mlflow.corp.example to NO_PROXY`,
        follow: () => {
          proxy.refuses = false;
          return named();
        },
      },
      {
        situation: 'it cannot reach the server',
        env: () => named({ MLFLOW_TRACKING_URI: 'http://other.corp.example' }),
        found: () => responded('502', '<html>Bad gateway</html>'),
        todo: () =>
          `Start the tracking server, or let the proxy ${proxy.url} reach it; if no proxy is needed, add other.corp.example to NO_PROXY`,
        follow: () => named(),
      },
    ],
    () => {
      front.script = [always];
      proxy.authorization = undefined;
      proxy.refuses = false;
    },
  );

  it('which is named if all is well, and not used for what NO_PROXY names', async () => {
    proxy.authorization = undefined;
    proxy.refuses = false;
    const [first] = await check(named());
    expect(first).toEqual({
      state: 'ok',
      what: 'MLflow',
      found: `http://mlflow.corp.example:5000 responds through the proxy ${proxy.url}`,
    });
    expect(proxy.requested.at(-1)).toBe('http://mlflow.corp.example:5000/api/2.0/mlflow/runs/search');
    const requests = proxy.requested.length;
    await check(named({ NO_PROXY: 'corp.example' }));
    await check(named({ MLFLOW_TRACKING_URI: mlflow.uri }));
    expect(proxy.requested).toHaveLength(requests);
  });
});
