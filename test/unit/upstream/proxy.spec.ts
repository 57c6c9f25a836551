import { proxyFor } from '../../../src/upstream/proxy.js';

const HTTP = 'http://proxy.corp:3128';
const proxies = (except = '', https?: string) => ({ http: HTTP, https, except: except.split(',') });

describe('proxyFor', () => {
  it('is the proxy of the scheme, with decoded credentials', () => {
    expect(proxyFor('http://mlflow.corp:5000', proxies())).toEqual({
      protocol: 'http:',
      host: 'proxy.corp',
      port: 3128,
    });
    expect(proxyFor('https://mlflow.corp', proxies())).toBe(false);
    expect(proxyFor('https://mlflow.corp', proxies('', 'https://me:p%40ss@proxy.corp'))).toEqual({
      protocol: 'https:',
      host: 'proxy.corp',
      port: 443,
      auth: { username: 'me', password: 'p@ss' },
    });
  });

  it.each(['http://localhost:5000', 'http://127.0.0.1:5000', 'http://127.8.0.1', 'http://[::1]:5000'])(
    'is none for the loopback address %s',
    (address) => expect(proxyFor(address, proxies())).toBe(false),
  );

  // As `should_bypass_proxies` of requests, which besides does not know `*.corp`, the default port and networks of IPv6.
  it.each([
    ['*', 'http://mlflow.corp', true],
    ['mlflow.corp', 'http://mlflow.corp:5000', true],
    ['corp', 'http://mlflow.corp', true],
    ['.corp', 'http://mlflow.corp', true],
    ['*.corp', 'http://mlflow.corp', true],
    ['MLFLOW.CORP', 'http://mlflow.corp', true],
    ['other,mlflow.corp:5000', 'http://mlflow.corp:5000', true],
    ['mlflow.corp:443', 'https://mlflow.corp', true],
    ['10.0.0.0/8', 'http://10.2.3.4:5000', true],
    ['10.2.3.4', 'http://10.2.3.4:5000', true],
    ['fd00::/8', 'http://[fd00::5]:5000', true],
    ['', 'http://mlflow.corp', false],
    ['flow.corp', 'http://mlflow.corp', false],
    ['mlflow.corp:5001', 'http://mlflow.corp:5000', false],
    ['10.0.0.0/8', 'http://11.2.3.4', false],
    ['10.0.0.0/99', 'http://10.2.3.4', false],
    ['2.3.4', 'http://10.2.3.4', false],
    ['10.0.0.0/8', 'http://mlflow.corp', false],
  ])('NO_PROXY=%s excepts %s: %s', (except, address, excepted) => {
    expect(proxyFor(address, proxies(except, HTTP)) === false).toBe(excepted);
  });
});
