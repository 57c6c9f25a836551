import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Env, type Situation } from '../../support/advice.js';
import { type CertificateFiles, createCertificate } from '../../support/certificates.js';
import { findProgram } from '../../support/find-program.js';
import { ForwardProxy } from '../../support/forward-proxy.js';
import { findNginx, type RunningProxy, startNginx } from '../../support/proxies.js';
import { freePort } from '../../support/redis-server.js';
import { skipSuite } from '../../support/skip.js';
import { MlflowFront, mlflowTable, nginxTlsPage, responded, unreachable } from './mlflow-front.js';

const nginx = findNginx();
const openssl = findProgram('openssl');
if (nginx && openssl) {
  let front: MlflowFront;
  let folder: string;
  let running: RunningProxy;
  let proxy: ForwardProxy;
  let authority: CertificateFiles;
  let stranger: CertificateFiles;
  /** A client certificate and its key. */
  let client: string;
  let ports: { plain: number; tls: number; other: number; mutual: number; free: number };

  beforeAll(async () => {
    front = await MlflowFront.start();
    folder = await mkdtemp(join(tmpdir(), 'advice-tls-'));
    ports = {
      plain: await freePort(),
      tls: await freePort(),
      other: await freePort(),
      mutual: await freePort(),
      free: await freePort(),
    };
    authority = await createCertificate(openssl, folder, 'authority', 'DNS:authority');
    stranger = await createCertificate(openssl, folder, 'stranger', 'DNS:stranger');
    const names = 'DNS:mlflow.corp.example,IP:127.0.0.1';
    const server = await createCertificate(openssl, folder, 'server', names, authority);
    const user = await createCertificate(openssl, folder, 'user', 'DNS:user', authority);
    client = await joined('client.pem', user.certificate, user.key);
    const keys = `ssl_certificate ${server.certificate}; ssl_certificate_key ${server.key};`;
    const pass = `server_tokens off; location / { proxy_pass ${front.mlflow.uri}; }`;
    const mutual = `ssl_client_certificate ${authority.certificate}; ssl_verify_client on;`;
    running = await startNginx(
      nginx,
      new Map([
        [ports.plain, `listen 127.0.0.1:${ports.tls} ssl; ${keys} ${pass}`],
        [ports.other, `listen 127.0.0.1:${ports.mutual} ssl; ${keys} ${mutual} ${pass}`],
      ]),
    );
    proxy = await ForwardProxy.start({ 'mlflow.corp.example': ports.tls });
  });
  afterAll(async () => {
    await running.stop();
    await Promise.all([front.close(), proxy.close()]);
    await rm(folder, { recursive: true, force: true });
  });

  async function joined(name: string, ...files: string[]): Promise<string> {
    const target = join(folder, name);
    const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
    await writeFile(target, texts.join('\n'));
    return target;
  }
  const at = (name: keyof typeof ports, more: Env = {}): Env => ({
    MLFLOW_TRACKING_URI: `http://127.0.0.1:${ports[name]}`,
    ...more,
  });
  const secure = (name: keyof typeof ports, more: Env = {}): Env => ({
    MLFLOW_TRACKING_URI: `https://127.0.0.1:${ports[name]}`,
    ...more,
  });
  const trusting = (): Env => ({ MLFLOW_TRACKING_SERVER_CERT_PATH: authority.certificate });

  const encrypted: Situation[] = [
    {
      situation: 'http to a port that speaks TLS only',
      env: () => at('tls', trusting()),
      found: () => responded('400', nginxTlsPage('The plain HTTP request was sent to HTTPS port')),
      todo: () => `Set MLFLOW_TRACKING_URI to https://127.0.0.1:${ports.tls}: the server speaks TLS only`,
      follow: () => secure('tls', trusting()),
    },
    {
      situation: 'https to a port without TLS',
      env: () => secure('plain', trusting()),
      found: () => unreachable(`https://127.0.0.1:${ports.plain}`, 'wrong version number'),
      todo: () =>
        `Set MLFLOW_TRACKING_URI to http://127.0.0.1:${ports.plain}: the server does not speak TLS on this port`,
      follow: () => at('plain'),
    },
    {
      situation: 'a certificate of a private authority',
      env: () => secure('tls'),
      found: () => unreachable(`https://127.0.0.1:${ports.tls}`, 'unable to verify the first certificate'),
      todo: () => 'Set MLFLOW_TRACKING_SERVER_CERT_PATH to a PEM file with the certificate of its authority',
      follow: () => secure('tls', trusting()),
    },
    {
      situation: 'the bundle of requests has another authority',
      env: () => secure('tls', { REQUESTS_CA_BUNDLE: stranger.certificate }),
      found: () => unreachable(`https://127.0.0.1:${ports.tls}`, 'unable to verify the first certificate'),
      todo: () =>
        `Add the certificate of its authority to what REQUESTS_CA_BUNDLE names: the certificate of 127.0.0.1:${ports.tls} is signed by another authority`,
      follow: async () =>
        secure('tls', {
          REQUESTS_CA_BUNDLE: await joined('bundle.pem', stranger.certificate, authority.certificate),
        }),
    },
    {
      situation: 'a folder of authorities without the right one',
      before: async () => {
        await mkdir(join(folder, 'authorities'));
        await copyFile(stranger.certificate, join(folder, 'authorities/stranger.pem'));
      },
      env: () => secure('tls', { MLFLOW_TRACKING_SERVER_CERT_PATH: join(folder, 'authorities') }),
      found: () => unreachable(`https://127.0.0.1:${ports.tls}`, 'unable to verify the first certificate'),
      todo: () =>
        `Add the certificate of its authority to what MLFLOW_TRACKING_SERVER_CERT_PATH names: the certificate of 127.0.0.1:${ports.tls} is signed by another authority`,
      follow: async () => {
        await copyFile(authority.certificate, join(folder, 'authorities/own.pem'));
        return secure('tls', { MLFLOW_TRACKING_SERVER_CERT_PATH: join(folder, 'authorities') });
      },
    },
    {
      situation: 'a client certificate is needed',
      env: () => secure('mutual', trusting()),
      found: () => responded('400', nginxTlsPage('No required SSL certificate was sent')),
      todo: () => 'Set MLFLOW_TRACKING_CLIENT_CERT_PATH to a PEM file with a client certificate and its key',
      follow: () => secure('mutual', { ...trusting(), MLFLOW_TRACKING_CLIENT_CERT_PATH: client }),
    },
  ];
  describe('what is said about TLS of nginx in front of MLflow', () => {
    mlflowTable(encrypted);
  });

  const URI = 'https://mlflow.corp.example';
  const through = (more: Env = {}): Env => ({
    MLFLOW_TRACKING_URI: URI,
    HTTPS_PROXY: proxy.url,
    ...trusting(),
    ...more,
  });
  const tunnelled: Situation[] = [
    {
      situation: 'nothing listens there',
      env: () => through({ HTTPS_PROXY: `http://127.0.0.1:${ports.free}` }),
      found: () =>
        unreachable(
          URI,
          `connect ECONNREFUSED 127.0.0.1:${ports.free} through the proxy http://127.0.0.1:${ports.free} (HTTPS_PROXY)`,
        ),
      todo: () =>
        `Start the proxy http://127.0.0.1:${ports.free}, correct HTTPS_PROXY, or add mlflow.corp.example to NO_PROXY`,
      follow: () => through(),
    },
    {
      situation: 'it needs a password',
      before: () => {
        proxy.authorization = `Basic ${Buffer.from('me:p@ss').toString('base64')}`;
      },
      env: () => through(),
      found: () => responded('407'),
      todo: () =>
        `Put the user name and password of the proxy ${proxy.url} into HTTPS_PROXY, as in http://user:password@proxy.example.com:3128`,
      follow: () => through({ HTTPS_PROXY: proxy.url.replace('//', '//me:p%40ss@') }),
    },
    {
      situation: 'it denies the address',
      before: () => {
        proxy.refuses = true;
      },
      env: () => through(),
      found: () => responded('403'),
      todo: () =>
        `Let the proxy ${proxy.url} (HTTPS_PROXY) pass requests to mlflow.corp.example, or add mlflow.corp.example to NO_PROXY`,
      follow: () => {
        proxy.refuses = false;
        return through();
      },
    },
  ];
  describe('what is said about the proxy of HTTPS_PROXY', () => {
    mlflowTable(tunnelled, () => {
      proxy.authorization = undefined;
      proxy.refuses = false;
    });
  });
} else {
  skipSuite('advice about TLS in front of MLflow', 'nginx and openssl on PATH');
}
