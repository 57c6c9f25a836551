import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { readPolicyFiles } from '../../../src/alerts/alert-policies.js';
import { channelEnvironment } from '../../../src/alerts/channels/open-channels.js';
import { routeProblems } from '../../../src/alerts/channels/routes.js';
import { runCommand } from '../../../src/cli/program.js';
import { loadSettings } from '../../../src/config/settings.js';
import { RECEIVER_TYPES, receiver } from '../../support/alert-receivers.js';
import { answer, ScriptedServer } from '../../support/scripted-server.js';

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
let server: ScriptedServer;
let printed: string[];
beforeEach(async () => {
  server = await ScriptedServer.start();
  printed = [];
  for (const stream of ['log', 'error'] as const)
    jest.spyOn(console, stream).mockImplementation((line) => void printed.push(String(line)));
});
afterEach(async () => {
  jest.restoreAllMocks();
  await server.close();
});
const run = (route: string, more: Record<string, string> = {}) =>
  runCommand(['alerts', 'test', route], {
    MLFLOW_TRACKING_URI: 'http://127.0.0.1:1',
    NODE_ENV: 'production',
    ALERT_WEBHOOK_URL: `${server.uri}/?token=hidden`,
    ALERT_WEBHOOK_SECRET: SECRET,
    ALERT_ALLOW_PRIVATE_ADDRESSES: 'true',
    ...more,
  });

test('A test message says that it is no alert', async () => {
  server.script = [answer(204)];
  expect(await run('webhook')).toBe(0);
  expect(printed).toEqual(['delivered  webhook 127.0.0.1']);
  expect(JSON.parse(server.received[0]?.body ?? '')).toMatchObject({
    type: 'alerts.test',
    data: { title: expect.stringMatching(/^TEST of route webhook · this is no alert/), incidents: [] },
  });
});

test('A channel that does not deliver is named with the reason, without its address', async () => {
  server.script = [answer(404)];
  expect(await run('webhook')).toBe(1);
  expect(printed).toEqual(['FAILED     webhook 127.0.0.1: HTTP 404']);
});

test('Private addresses are refused by default', async () => {
  expect(await run('webhook', { ALERT_ALLOW_PRIVATE_ADDRESSES: 'false' })).toBe(1);
  expect(printed.join()).toContain('set ALERT_ALLOW_PRIVATE_ADDRESSES=true');
  expect(server.received).toEqual([]);
});

test('An unknown route is an error that names the routes', async () => {
  expect(await run('fraud')).toBe(2);
  expect(printed).toEqual(['There is no route "fraud". Routes: webhook']);
});

test('A route of the file sends to its channels, one after another', async () => {
  const file = join(await mkdtemp(join(tmpdir(), 'alerts-')), 'alerts.yaml');
  await writeFile(
    file,
    `version: 1
routes:
  - name: fraud
    channels:
      - { type: slack, label: "#ml-fraud", url_env: SLACK_FRAUD_URL }
      - { type: webhook, url_env: NOT_SET }
`,
  );
  server.script = [answer(200, 'ok')];
  expect(await run('fraud', { ALERTS_FILE: file, SLACK_FRAUD_URL: `${server.uri}/hidden` })).toBe(1);
  expect(printed).toEqual(['delivered  slack #ml-fraud', 'FAILED     webhook: NOT_SET is not set']);
});

describe('Every type of channel', () => {
  const types = RECEIVER_TYPES;
  const file = async (): Promise<string> => {
    const path = join(await mkdtemp(join(tmpdir(), 'alerts-')), 'alerts.yaml');
    const channels = types.map((type) => receiver(type, server.uri).settings);
    await writeFile(path, JSON.stringify({ version: 1, routes: [{ name: 'all', channels }] }));
    return path;
  };

  test('delivers a test message', async () => {
    const fakes = types.map((type) => receiver(type, server.uri));
    server.script = fakes.map((each) => each.answer);
    const env = Object.assign({}, ...fakes.map((each) => each.env));
    expect(await run('all', { ALERTS_FILE: await file(), ...env })).toBe(0);
    expect(printed.map((line) => line.split(' ').slice(0, 3).join(' ').trim())).toEqual(
      types.map((type) => `delivered  ${type}`),
    );
    expect(fakes.flatMap(({ refused }) => refused)).toEqual([]);
    expect(printed.join()).not.toMatch(/hidden/);
  });

  test('says what is not set, also to `validate`', async () => {
    const names = [
      'ALERT_TEAMS_WEBHOOK_URL',
      'ALERT_PAGERDUTY_ROUTING_KEY',
      'ALERT_ALERTMANAGER_URL',
      'ALERT_GITHUB_TOKEN',
      'ALERT_SLACK_TOKEN',
    ];
    const ALERTS_FILE = await file();
    expect(await run('all', { ALERTS_FILE })).toBe(1);
    expect(printed).toEqual(types.map((type, n) => `FAILED     ${type}: ${names[n]} is not set`));
    const settings = loadSettings({ MLFLOW_TRACKING_URI: 'http://127.0.0.1:1' });
    const { alerts } = await readPolicyFiles({ alertsFile: ALERTS_FILE, ownersFile: undefined });
    expect(routeProblems(alerts.routes, channelEnvironment(settings, {}), settings)).toEqual(
      names.map((name) => `route all: ${name} is not set`),
    );
  });
});
