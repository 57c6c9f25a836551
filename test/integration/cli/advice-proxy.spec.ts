import { type Env } from '../../support/advice.js';
import { ForwardProxy } from '../../support/forward-proxy.js';
import { freePort } from '../../support/redis-server.js';
import {
  always,
  basic,
  checkTracking,
  MlflowFront,
  mlflowTable,
  responded,
  unreachable,
} from './mlflow-front.js';

let front: MlflowFront;
let proxy: ForwardProxy;
let free: number;
beforeAll(async () => {
  front = await MlflowFront.start();
  free = await freePort();
  proxy = await ForwardProxy.start({ 'mlflow.corp.example': Number(new URL(front.front.uri).port) });
});
afterAll(() => Promise.all([front.close(), proxy.close()]));

describe('what is said about the proxy of HTTP_PROXY', () => {
  const named = (env: Env = {}): Env => ({
    MLFLOW_TRACKING_URI: 'http://mlflow.corp.example:5000',
    HTTP_PROXY: proxy.url,
    ...env,
  });
  mlflowTable(
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
      front.answers(always);
      proxy.authorization = undefined;
      proxy.refuses = false;
    },
  );

  it('which is named if all is well, and not used for what NO_PROXY names', async () => {
    proxy.authorization = undefined;
    proxy.refuses = false;
    const [first] = await checkTracking(named());
    expect(first).toEqual({
      state: 'ok',
      what: 'MLflow',
      found: `http://mlflow.corp.example:5000 responds through the proxy ${proxy.url}`,
    });
    expect(proxy.requested.at(-1)).toBe('http://mlflow.corp.example:5000/api/2.0/mlflow/runs/search');
    const requests = proxy.requested.length;
    await checkTracking(named({ NO_PROXY: 'corp.example' }));
    await checkTracking(named({ MLFLOW_TRACKING_URI: front.mlflow.uri }));
    expect(proxy.requested).toHaveLength(requests);
  });
});
