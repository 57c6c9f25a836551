import { ForwardProxy } from '../../support/forward-proxy.js';
import { freePort } from '../../support/redis-server.js';
import { type Answer, answer } from '../../support/scripted-server.js';
import { SilentServer } from '../../support/silent-server.js';
import { API, always, MlflowFront, mlflowTable, responded, unless, unreachable } from './mlflow-front.js';

let front: MlflowFront;
let proxy: ForwardProxy;
let silent: SilentServer;
let free: number;
beforeAll(async () => {
  front = await MlflowFront.start();
  silent = await SilentServer.start();
  free = await freePort();
  proxy = await ForwardProxy.start({ 'mlflow.corp.example': Number(new URL(front.front.uri).port) });
});
afterAll(async () => {
  await Promise.all([front.close(), proxy.close(), silent.close()]);
});

const answering = (script: Answer) => () => front.answers(script);

describe('what is said if the tracking server cannot be reached', () => {
  mlflowTable([
    {
      situation: 'nothing listens at the address',
      env: () => ({ MLFLOW_TRACKING_URI: `http://127.0.0.1:${free}` }),
      found: () => unreachable(`http://127.0.0.1:${free}`, `connect ECONNREFUSED 127.0.0.1:${free}`),
      todo: () => 'Start the tracking server, or correct MLFLOW_TRACKING_URI',
      follow: () => front.direct(),
    },
    {
      situation: 'it accepts connections and stays silent',
      env: () => ({ MLFLOW_TRACKING_URI: `http://127.0.0.1:${silent.port}` }),
      found: () => unreachable(`http://127.0.0.1:${silent.port}`, 'no data for 1 s'),
      todo: () =>
        `Find out why the tracking server does not answer, open the firewall to 127.0.0.1:${silent.port}, or correct MLFLOW_TRACKING_URI; if only a proxy reaches it, set HTTP_PROXY`,
      follow: () => front.direct(),
    },
    {
      situation: 'its name does not exist, but the proxy knows it',
      before: answering(always),
      env: () => ({ MLFLOW_TRACKING_URI: 'http://mlflow.corp.example:5000' }),
      found: () =>
        unreachable('http://mlflow.corp.example:5000', 'getaddrinfo ENOTFOUND mlflow.corp.example'),
      todo: () => 'Correct the host name in MLFLOW_TRACKING_URI; if only a proxy knows it, set HTTP_PROXY',
      follow: () => ({ MLFLOW_TRACKING_URI: 'http://mlflow.corp.example:5000', HTTP_PROXY: proxy.url }),
    },
  ]);
});

describe('what is said if a login or another server answers', () => {
  mlflowTable([
    {
      situation: 'a redirect to a login, which lets tokens of a header pass',
      before: answering(
        unless(
          (headers) => headers['cf-access-client-id'] === 'a,b',
          answer(302, '', { Location: 'https://team.example.com/cdn-cgi/access/login?kid=secret' }),
        ),
      ),
      env: () => front.at(),
      found: () => responded('302 to https://team.example.com/cdn-cgi/access/login'),
      todo: () =>
        `A login stands in front of the tracking server and leads to https://team.example.com/cdn-cgi/access/login. Set MLFLOW_TRACKING_TOKEN or MLFLOW_TRACKING_HEADERS to what it accepts from programs, or MLFLOW_TRACKING_URI to the address behind it (now ${front.host})`,
      follow: () => front.at({ MLFLOW_TRACKING_HEADERS: 'CF-Access-Client-Id=a%2Cb' }),
    },
    {
      situation: 'a redirect of the same request to another address',
      before: answering((response, received) =>
        answer(308, '', { Location: `${front.mlflow.uri}${received.url}` })(response, received),
      ),
      env: () => front.at(),
      found: () => responded(`308 to ${front.mlflow.uri}${API}experiments/search`),
      todo: () => `Set MLFLOW_TRACKING_URI to ${front.mlflow.uri}`,
      follow: () => front.direct(),
    },
    {
      situation: 'the page of a login',
      before: answering(answer(200, '<html>Sign in</html>')),
      env: () => front.at(),
      found: () => "MLflow's response to experiments/search is invalid: not a list of experiments in JSON",
      todo: () =>
        'Correct MLFLOW_TRACKING_URI: at this address something else answers, such as a login page or another server',
      follow: () => front.direct(),
    },
    {
      situation: 'another path of the server',
      before: answering(answer(404, '<html>404 Not Found</html>')),
      env: () => front.at({ MLFLOW_TRACKING_URI: `${front.front.uri}/mlflow` }),
      found: () => responded('404', '<html>404 Not Found</html>'),
      todo: () =>
        `Correct the path of MLFLOW_TRACKING_URI: no tracking server has its API below ${front.front.uri}/mlflow`,
      follow: () => front.direct(),
    },
    {
      situation: 'a web server that takes no POST',
      before: answering(answer(405, 'no')),
      env: () => front.at(),
      found: () => responded('405', 'no'),
      todo: () =>
        `Correct the path of MLFLOW_TRACKING_URI: no tracking server has its API below ${front.front.uri}`,
      follow: () => front.direct(),
    },
    {
      situation: 'a gateway that cannot reach the server',
      before: answering(answer(502, '<html>502 Bad Gateway</html>')),
      env: () => front.at(),
      found: () => responded('502', '<html>502 Bad Gateway</html>'),
      todo: () => `Start the tracking server: what stands in front of it at ${front.host} cannot reach it`,
      follow: () => {
        front.answers(always);
        return front.at();
      },
    },
    {
      situation: 'a limit of requests',
      before: answering(answer(429, 'slow down')),
      env: () => front.at(),
      found: () => responded('429', 'slow down'),
      todo: () => 'Lower MLFLOW_MAX_RPS or MLFLOW_CONCURRENCY',
      follow: () => {
        front.answers(always);
        return front.at({ MLFLOW_MAX_RPS: '50' });
      },
    },
    {
      situation: 'an error of the server itself',
      before: answering(answer(500, '{"error_code": "INTERNAL_ERROR"}')),
      env: () => front.at(),
      found: () => responded('500', '{"error_code": "INTERNAL_ERROR"}'),
      todo: () => 'Look into the log of the tracking server',
      follow: () => front.direct(),
    },
  ]);
});
