import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { TrackingServer } from '../../../src/demo/tracking-server.js';
import { FaultProxy } from '../../support/fault-proxy.js';
import { Program } from '../../support/program.js';
import { findRedisServer, startRedis } from '../../support/redis-server.js';
import { findS3Server, startS3 } from '../../support/s3-server.js';
import { ScriptedServer } from '../../support/scripted-server.js';
import { skipSuite } from '../../support/skip.js';
import { commandLinesOf, type Found, filesBelow, leaksIn, responsesOf } from './readable.js';

const SECRETS = {
  token: 'planted-mlflow-token-2f6b',
  apiKey: 'planted-api-key/9c1d==',
  s3: 'planted-s3-secret/7e0a+',
  redis: 'planted@redis/password-3d5c',
};
/** An authorization of requests for some minutes. */
const SIGNATURE = /Signature=[0-9a-f]{8}/;

const [redis, s3] = [findRedisServer(), findS3Server()];
if (redis && s3) {
  it('credentials of a bucket, Redis, MLflow and the catalog appear nowhere, although all repeat them', () =>
    check(redis, s3));
} else {
  skipSuite(
    'planted credentials of a bucket',
    'redis-server or valkey-server on PATH and versitygw (bash test/support/install-versitygw.sh)',
  );
}

async function check(redis: string, s3: string): Promise<void> {
  const mlflow = await TrackingServer.start();
  const { experiment_id } = mlflow.experiment('fraud');
  const start_time = Date.now() - 3_600_000;
  const metrics = [{ key: 'recall', value: 0.1, step: 0, timestamp: start_time }];
  mlflow.run({ experiment_id, start_time, metrics });
  const catalog = await ScriptedServer.start();
  catalog.script = [
    (response, { headers }) => response.writeHead(503).end(JSON.stringify({ error: 'busy', headers })),
  ];
  const keys = { AWS_ACCESS_KEY_ID: 'planted-s3-id', AWS_SECRET_ACCESS_KEY: SECRETS.s3 };
  const store = await startS3(s3, undefined, keys);
  const proxy = await FaultProxy.start(store.endpoint);
  const queue = await startRedis(redis, ['--requirepass', SECRETS.redis, '--rdbcompression', 'no']);
  const queueUrl = (password: string) => queue.url.replace('//', `//:${encodeURIComponent(password)}@`);
  const folder = await mkdtemp(join(tmpdir(), 'secrets-'));
  const env = {
    MLFLOW_TRACKING_URI: mlflow.uri,
    MLFLOW_TRACKING_TOKEN: SECRETS.token,
    METRICS_API_URL: `${catalog.uri}/catalog`,
    THRESHOLDS_API_URL: `${catalog.uri}/catalog`,
    API_KEY: SECRETS.apiKey,
    S3_BUCKET: await store.bucket('monitor'),
    S3_ENDPOINT: proxy.url,
    S3_FORCE_PATH_STYLE: 'true',
    ...keys,
    REDIS_URL: queueUrl(SECRETS.redis),
    STORAGE_DIR: folder,
    LOOKBACK_DAYS_HISTORICAL: '1',
    MAX_RETRIES: '0',
    STAGE_TRIES: '1',
    LOG_LEVEL: 'verbose',
    PORT: '0',
  };
  const program = Program.start(['serve'], env);
  const found: Found = new Map();
  const add = (more: Found, when = '') => {
    for (const [place, text] of more) found.set(place + when, text);
  };
  const run = async (when: string, args: readonly string[], special = {}) => {
    const command = Program.start(args, { ...env, ...special });
    await command.exited;
    found.set(args.join(' ') + when, command.lines.join('\n'));
  };
  let token = '';
  let stored: Found = new Map();
  try {
    const [, url = ''] = await program.line(/Page: (http:\/\/127\.0\.0\.1:\d+)\//);
    // No day can be judged before the catalog has answered.
    await program.line(/catalog.* responded with 503/);
    token = (await readFile(join(folder, 'admin-token'), 'utf8')).trim();
    const muted = await fetch(`${url}/api/v1/admin/alerts/mutes`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        application: 'fraud',
        reason: 'test',
        until: new Date(Date.now() + 3_600_000).toISOString(),
      }),
    });
    expect(muted.status).toBe(201);
    add(await responsesOf(url, token));
    add(await commandLinesOf(program.pid));
    await run('', ['validate']);
    await run(' with a wrong password', ['validate'], { REDIS_URL: queueUrl(`${SECRETS.redis}-wrong`) });
    await run(' with a wrong password', ['serve'], {
      REDIS_URL: queueUrl(`${SECRETS.redis}-wrong`),
      STORAGE_DIR: join(folder, 'other'),
    });

    mlflow.intercept = () => ({ status: 503, body: `busy: Bearer ${SECRETS.token}` });
    proxy.decide = ({ headers }) => ({
      forward: false,
      answer: {
        status: 403,
        headers: { 'content-type': 'application/xml' },
        body: `<Error><Code>AccessDenied</Code><Message>${SECRETS.s3} ${JSON.stringify(headers)}</Message></Error>`,
      },
    });
    add(await responsesOf(url, token), ' while all is denied');
    await run(' while all is denied', ['validate']);
    await run(' while all is denied', ['check', '--application', 'fraud']);
    proxy.decide = () => undefined;
    const reader = new Redis(queueUrl(SECRETS.redis));
    for (const key of await reader.keys('*')) {
      found.set(`Redis ${key}`, (await reader.dumpBuffer(key))?.toString('latin1') ?? '');
    }
    reader.disconnect();
  } finally {
    await program.stop();
    stored = await filesBelow(join(store.folder, 'monitor'));
    await queue.stop();
    await proxy.close();
    await store.stop();
    await catalog.close();
    await mlflow.close();
  }
  found.set('log', program.lines.join('\n'));
  add(await filesBelow(folder, ['admin-token']));
  add(stored);
  await rm(folder, { recursive: true, force: true });

  expect(leaksIn(found, [...Object.values(SECRETS), token])).toEqual([]);
  expect([...found].filter(([, text]) => SIGNATURE.test(text)).map(([place]) => place)).toEqual([]);
  // Each was repeated, and what repeated it is shown.
  expect(catalog.received[0]?.headers.authorization).toBe(`Bearer ${SECRETS.apiKey}`);
  const struckOut = [...found].filter(([, text]) => text.includes('***')).map(([place]) => place);
  expect(struckOut).toEqual(
    expect.arrayContaining([
      ...['log', 'GET /health', 'validate', '_state/catalog.json'],
      ...['validate while all is denied', 'check --application fraud while all is denied'],
    ]),
  );
  expect(found.get('validate with a wrong password')).toContain('WRONGPASS');
  expect(found.get('serve with a wrong password')).toContain('WRONGPASS');
  expect([...stored.keys()].some((name) => name.startsWith('_audit/'))).toBe(true);
}
