import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { TrackingServer } from '../../../src/demo/tracking-server.js';
import { Program } from '../../support/program.js';
import { type Answer, ScriptedServer } from '../../support/scripted-server.js';

const SECRETS = {
  password: 'planted-password-7f3a',
  apiKey: 'planted-api-key-9c1d',
  slack: 'planted-slack-path-4e2b',
  webhook: 'planted-webhook-query-8d6f',
  signing: `whsec_${Buffer.from('planted-signing-key-of-24-bytes').toString('base64')}`,
  heartbeat: 'planted-heartbeat-5a0c',
  smtp: 'planted-smtp-password-1b9e',
};
/** A catalog, and alert channels that fail and repeat all they were sent. */
const answer: Answer = (response, { url, headers, body }) => {
  const isCatalog = url.startsWith('/catalog/');
  const content = isCatalog ? CATALOG : { url, headers, body };
  response
    .writeHead(isCatalog ? 200 : 503, { 'content-type': 'application/json' })
    .end(JSON.stringify(content));
};
const CATALOG = {
  metrics: [],
  thresholds: [{ metric_name: 'recall', critical_threshold: 0.7, warning_threshold: 0.8 }],
};
const ROUTES = [
  ...['/', '/health', '/metrics', '/docs/openapi.json', '/api/v1/platform/current', '/api/v1/applications'],
  ...['/api/v1/application?application=fraud', '/api/v1/runs?application=fraud', '/api/v1/alerts'],
  ...['/api/v1/alerts/transitions', '/api/v1/quality', '/api/v1/quarantine', '/api/v1/session', '/nothing'],
  ...['/api/v1/admin/backfills', '/api/v1/admin/alerts/mutes', '/admin/queues', '/admin/queues/api/queues'],
  ...['ingestion', 'enrichment', 'aggregation', 'notification'].map(
    (queue) => `/admin/queues/api/queues?activeQueue=${queue}&page=1&jobsPerPage=100`,
  ),
];

it('credentials appear nowhere, although alert channels repeat them', async () => {
  const mlflow = await TrackingServer.start();
  const { experiment_id } = mlflow.experiment('fraud');
  const start_time = Date.now() - 3_600_000;
  mlflow.run({
    experiment_id,
    start_time,
    metrics: [{ key: 'recall', value: 0.1, step: 0, timestamp: start_time }],
  });
  const upstream = await ScriptedServer.start();
  upstream.script = [answer];
  const folder = await mkdtemp(join(tmpdir(), 'secrets-'));
  const store = join(folder, 'store');
  const program = Program.start(['serve'], {
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
    ALERT_SMTP_URL: `smtp://monitor:${SECRETS.smtp}@127.0.0.1:9`,
    ALERT_EMAIL_FROM: 'monitor@example.com',
    ALERT_EMAIL_TO: 'ops@example.com',
    ALERT_ALLOW_PRIVATE_ADDRESSES: 'true',
    STORAGE_DIR: store,
    LOOKBACK_DAYS_HISTORICAL: '1',
    MAX_RETRIES: '0',
    STAGE_TRIES: '1',
    LOG_LEVEL: 'verbose',
    PORT: '0',
  });
  const found = new Map<string, string>();
  let token = '';
  try {
    const [, url = ''] = await program.line(/Page: (http:\/\/127\.0\.0\.1:\d+)\//);
    await program.line(/bootstrap-1 (done|failed)/);
    token = (await readFile(join(store, 'admin-token'), 'utf8')).trim();
    for (const route of ROUTES) {
      const response = await fetch(`${url}${route}`, { headers: { authorization: `Bearer ${token}` } });
      found.set(`GET ${route}`, await response.text());
    }
  } finally {
    await program.stop();
    await upstream.close();
    await mlflow.close();
  }
  found.set('log', program.lines.join('\n'));
  const connection = await (await DuckDBInstance.create()).connect();
  for (const name of await readdir(store, { recursive: true })) {
    const file = join(store, name);
    if (!(await stat(file)).isFile() || name === 'admin-token') continue;
    found.set(name, await readFile(file, 'latin1'));
    if (!name.endsWith('.parquet')) continue;
    const rows = await connection.runAndReadAll('SELECT to_json(t)::VARCHAR FROM read_parquet($1) t', [file]);
    found.set(`rows of ${name}`, JSON.stringify(rows.getRows()));
  }
  connection.closeSync();
  await rm(folder, { recursive: true, force: true });
  const secrets = [...Object.values(SECRETS), token, btoa(`monitor:${SECRETS.password}`)];
  const leaks = [...found].flatMap(([place, text]) =>
    secrets.filter((secret) => text.includes(secret)).map((secret) => `${secret} in ${place}`),
  );
  expect(leaks).toEqual([]);
  expect(upstream.received.some(({ headers }) => headers.authorization === `Bearer ${SECRETS.apiKey}`)).toBe(
    true,
  );
  expect([...found.keys()].filter((name) => name.startsWith('rows of')).length).toBeGreaterThan(3);
});
