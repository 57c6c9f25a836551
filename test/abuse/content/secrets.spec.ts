import { EventEmitter, once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TrackingServer } from '../../../src/demo/tracking-server.js';
import { createCertificate } from '../../support/certificates.js';
import { findProgram } from '../../support/find-program.js';
import { MailServer } from '../../support/mail-server.js';
import { Program } from '../../support/program.js';
import { type Answer, ScriptedServer } from '../../support/scripted-server.js';
import { skipSuite } from '../../support/skip.js';
import { commandLinesOf, type Found, filesBelow, leaksIn, responsesOf } from './readable.js';

const SECRETS = {
  password: 'planted "password"/&7f3a',
  apiKey: 'planted-api-key/9c1d==',
  slack: 'planted-slack-path-4e2b',
  webhook: 'planted-webhook-query-8d6f',
  signing: `whsec_${Buffer.from('planted-signing-key-of-24-bytes').toString('base64')}`,
  heartbeat: 'planted-heartbeat-5a0c',
  smtp: 'planted-smtp-password-1b9e',
};
const BASIC = btoa(`monitor:${SECRETS.password}`);
const CATALOG = {
  metrics: [],
  thresholds: [{ metric_name: 'recall', critical_threshold: 0.7, warning_threshold: 0.8 }],
};
/** Channels and the heartbeat, by how what they are sent begins. */
const RECEIVERS = ['/services/', '/hook?', '/ping/', 'AUTH'] as const;
const CHANNELS = { slack: 'Slack', webhook: '127.0.0.1', email: 'ops@example.com' };

const openssl = findProgram('openssl');
if (openssl) {
  it('credentials appear nowhere, although servers and alert channels repeat them', () => check(openssl));
} else {
  skipSuite('planted credentials', 'openssl on PATH');
}

async function check(openssl: string): Promise<void> {
  const mlflow = await TrackingServer.start();
  const { experiment_id } = mlflow.experiment('fraud');
  const refused = mlflow.experiment('refused');
  const log = (value: number, start_time: number) => {
    const metrics = [{ key: 'recall', value, step: 0, timestamp: start_time }];
    mlflow.run({ experiment_id, start_time, end_time: start_time + 1_000, metrics });
  };
  log(0.9, Date.now() - 3_600_000);
  mlflow.intercept = ({ body }) =>
    [body.experiment_ids].flat().includes(refused.experiment_id)
      ? { status: 403, body: JSON.stringify({ message: `denied: Basic ${BASIC}, ${SECRETS.password}` }) }
      : undefined;
  const arrivals = new EventEmitter();
  const arrived = new Map(RECEIVERS.map((begin) => [begin, once(arrivals, begin)] as const));
  const upstream = await ScriptedServer.start();
  let isCatalogDown = false;
  const answer: Answer = (response, { url, headers, body }) => {
    for (const begin of RECEIVERS) if (url.startsWith(begin)) arrivals.emit(begin);
    const isCatalog = url.startsWith('/catalog/');
    const isFine = isCatalog && !isCatalogDown;
    response
      .writeHead(isFine ? 200 : isCatalog ? 503 : 403, { 'content-type': 'application/json' })
      .end(JSON.stringify(isFine ? CATALOG : { url, headers, body }));
  };
  upstream.script = [answer];
  const folder = await mkdtemp(join(tmpdir(), 'secrets-'));
  const store = join(folder, 'store');
  const { key, certificate } = await createCertificate(openssl, folder, 'mail', 'IP:127.0.0.1');
  const mails = await MailServer.start({
    secure: true,
    key: await readFile(key),
    cert: await readFile(certificate),
    authOptional: false,
    disabledCommands: [],
    onAuth({ username, password }, _, callback) {
      arrivals.emit('AUTH', password);
      callback(new Error(`${username} with ${password} is denied`));
    },
  });
  const env = {
    MLFLOW_TRACKING_URI: mlflow.uri,
    MLFLOW_TRACKING_USERNAME: 'monitor',
    MLFLOW_TRACKING_PASSWORD: SECRETS.password,
    METRICS_API_URL: `${upstream.uri}/catalog`,
    THRESHOLDS_API_URL: `${upstream.uri}/catalog`,
    API_KEY: SECRETS.apiKey,
    ALERT_SLACK_WEBHOOK_URL: `${upstream.uri}/services/${SECRETS.slack}`,
    ALERT_WEBHOOK_URL: `${upstream.uri}/hook?key=${SECRETS.webhook}`,
    ALERT_WEBHOOK_SECRET: SECRETS.signing,
    ALERT_HEARTBEAT_URL: `${upstream.uri}/ping/${SECRETS.heartbeat}`,
    ALERT_SMTP_URL: mails.url.replace('smtp://', `smtps://monitor:${SECRETS.smtp}@`),
    NODE_EXTRA_CA_CERTS: certificate,
    ALERT_EMAIL_FROM: 'monitor@example.com',
    ALERT_EMAIL_TO: 'ops@example.com',
    ALERT_ALLOW_PRIVATE_ADDRESSES: 'true',
    STORAGE_DIR: store,
    LOOKBACK_DAYS_HISTORICAL: '1',
    DELTA_SCHEDULE_MINUTES: '1',
    MAX_RETRIES: '0',
    STAGE_TRIES: '1',
    LOG_LEVEL: 'verbose',
    PORT: '0',
  };
  const program = Program.start(['serve'], env);
  const found: Found = new Map();
  let token = '';
  try {
    const [, url = ''] = await program.line(/Page: (http:\/\/127\.0\.0\.1:\d+)\//);
    await program.line(/bootstrap-1 (done|failed)/);
    token = (await readFile(join(store, 'admin-token'), 'utf8')).trim();
    // What is red at the first evaluation causes no message.
    await arrived.get('/ping/');
    log(0.1, Date.now() - 1_000);
    expect(await arrived.get('AUTH')).toEqual([SECRETS.smtp]);
    for (const label of Object.values(CHANNELS))
      await program.line(new RegExp(`deliver by ${label}: Message `));
    isCatalogDown = true;
    for (const [place, text] of await responsesOf(url, token)) found.set(place, text);
    for (const [place, text] of await commandLinesOf(program.pid)) found.set(place, text);
    const tests = Object.keys(CHANNELS).map((channel) => ['alerts', 'test', channel]);
    for (const args of [['validate'], ['check', '--application', 'refused'], ...tests]) {
      const command = Program.start(args, env);
      await command.exited;
      found.set(args.join(' '), command.lines.join('\n'));
    }
  } finally {
    await program.stop();
    await mails.close();
    await upstream.close();
    await mlflow.close();
  }
  found.set('log', program.lines.join('\n'));
  for (const [name, text] of await filesBelow(store, ['admin-token'])) found.set(name, text);
  await rm(folder, { recursive: true, force: true });

  expect(leaksIn(found, [...Object.values(SECRETS), BASIC, token])).toEqual([]);
  // Each was sent, and what repeated it is shown.
  const sent = JSON.stringify(upstream.received.map(({ url, headers }) => [url, headers]));
  for (const secret of [SECRETS.apiKey, SECRETS.slack, SECRETS.webhook, SECRETS.heartbeat])
    expect(sent).toContain(secret);
  for (const place of ['log', 'GET /health', 'GET /api/v1/errors', 'validate', 'check --application refused'])
    expect([place, found.get(place)]).toEqual([place, expect.stringContaining('***')]);
  expect([...found.keys()].filter((name) => name.startsWith('rows of')).length).toBeGreaterThan(3);
}
