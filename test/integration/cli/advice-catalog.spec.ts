import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkCatalog } from '../../../src/cli/validate-catalog.js';
import { loadSettings } from '../../../src/config/settings.js';
import { TrackingServer } from '../../../src/demo/tracking-server.js';
import {
  type Env,
  expectAdvice,
  expectCatalogSaidWhileRunning,
  type Situation,
} from '../../support/advice.js';
import { CatalogServer } from '../../support/catalog-server.js';
import { freePort } from '../../support/redis-server.js';
import { type Answer, answer, ScriptedServer } from '../../support/scripted-server.js';

let mlflow: TrackingServer;
let catalog: CatalogServer;
let front: ScriptedServer;
let free: number;
let folder: string;
beforeAll(async () => {
  mlflow = await TrackingServer.start();
  const { experiment_id } = mlflow.experiment('churn');
  const metrics = [{ key: 'accuracy', value: 0.9, step: 0, timestamp: 0 }];
  mlflow.run({ experiment_id, start_time: Date.now() - 60_000, metrics });
  catalog = await CatalogServer.start();
  catalog.apiKey = 'right';
  front = await ScriptedServer.start();
  free = await freePort();
  folder = await mkdtemp(join(tmpdir(), 'advice-catalog-'));
});
afterAll(async () => {
  await Promise.all([mlflow.close(), catalog.close(), front.close()]);
  await rm(folder, { recursive: true, force: true });
});

const check = (env: Env) => checkCatalog(loadSettings(env));
const at = (url: string, more: Env = {}): Env => ({
  MLFLOW_TRACKING_URI: mlflow.uri,
  THRESHOLDS_API_URL: url,
  API_KEY: 'right',
  TIMEOUT: '1',
  ...more,
});
const right = () => at(`${catalog.url}/api`);
const says = (problem: string, base = front.uri) => `The catalog at ${base}/thresholds/batch ${problem}`;
const answering = (script: Answer) => () => {
  front.script = [script];
};

const apis: Situation[] = [
  {
    situation: 'nothing listens at the address',
    env: () => at(`http://127.0.0.1:${free}`),
    found: () => says(`is unreachable: connect ECONNREFUSED 127.0.0.1:${free}`, `http://127.0.0.1:${free}`),
    todo: () => 'Start the API, or correct THRESHOLDS_API_URL',
    follow: right,
  },
  {
    situation: 'it does not answer',
    before: answering(() => undefined),
    env: () => at(front.uri),
    found: () => says('is unreachable: no complete response within 1 s'),
    todo: () =>
      `Find out why the API does not answer, open the firewall to ${new URL(front.uri).host}, or correct THRESHOLDS_API_URL`,
    follow: right,
  },
  {
    situation: 'its name does not exist',
    env: () => at('http://catalog.invalid'),
    found: () => says('is unreachable: getaddrinfo ENOTFOUND catalog.invalid', 'http://catalog.invalid'),
    todo: () => 'Correct the host name in THRESHOLDS_API_URL',
    follow: right,
  },
  {
    situation: 'no key, where one is needed',
    env: () => at(`${catalog.url}/api`, { API_KEY: '' }),
    found: () => says('responded with 401: "no"', `${catalog.url}/api`),
    todo: () => 'Set API_KEY',
    follow: right,
  },
  {
    situation: 'a wrong key',
    env: () => at(`${catalog.url}/api`, { API_KEY: 'wrong' }),
    found: () => says('responded with 401: "no"', `${catalog.url}/api`),
    todo: () => 'Correct API_KEY',
    follow: right,
  },
  {
    situation: 'another path',
    env: () => at(`${catalog.url}/nothing`),
    found: () => says('responded with 404: "no such path"', `${catalog.url}/nothing`),
    todo: () => `Correct THRESHOLDS_API_URL: there is no such API at ${catalog.url}/nothing/thresholds/batch`,
    follow: right,
  },
  {
    situation: 'a redirect',
    before: answering(answer(301, '', { Location: 'https://catalog.example.com/' })),
    env: () => at(front.uri),
    found: () => says('responded with 301 to https://catalog.example.com/, which is not followed'),
    todo: () => 'Set THRESHOLDS_API_URL to the address that it leads to: redirects are not followed',
    follow: right,
  },
  {
    situation: 'a page in place of an API',
    before: answering(answer(200, '<html>Welcome</html>')),
    env: () => at(front.uri),
    found: () =>
      says('sent an unreadable response: Unexpected token \'<\', "<html>Welcome</html>" is not valid JSON'),
    todo: () =>
      'Correct THRESHOLDS_API_URL if something else answers at this address, else what the API returns: docs/catalog.md describes it',
    follow: right,
  },
  {
    situation: 'a limit of requests',
    before: answering(answer(429, 'slow down')),
    env: () => at(front.uri),
    found: () => says('responded with 429: slow down'),
    todo: () => 'Raise CATALOG_CACHE_TTL_SECONDS, so that the API gets fewer requests',
    follow: () => {
      front.script = [answer(200, '{"thresholds": []}')];
      return at(front.uri, { CATALOG_CACHE_TTL_SECONDS: '3600' });
    },
  },
  {
    situation: 'a gateway that cannot reach it',
    before: answering(answer(502, 'Bad Gateway')),
    env: () => at(front.uri),
    found: () => says('responded with 502: Bad Gateway'),
    todo: () => `Start the API: what stands in front of it at ${new URL(front.uri).host} cannot reach it`,
    follow: () => {
      front.script = [answer(200, '{"thresholds": []}')];
      return at(front.uri);
    },
  },
];

/** What the page says, in which messages of other servers have no place. */
function reasonOf(found: string): string {
  const [, status] = /responded with (\d+)/.exec(found) ?? [];
  if (found.includes('unreadable')) return 'the catalog cannot be read';
  if (status === undefined) return 'the catalog is unavailable';
  const isBusy = Number(status) >= 429;
  return `the catalog ${isBusy ? 'is unavailable' : 'rejects requests'} (HTTP ${status})`;
}

describe('what is said about the API of a catalog', () => {
  it.each(apis)('$situation', async (row) => {
    const env = () => ({ MAX_RETRIES: '0', ...row.env() });
    await expectAdvice(row, 'Thresholds API', check, () =>
      expectCatalogSaidWhileRunning({ ...row, env }, reasonOf(row.found())),
    );
  });
});

const file = (name: string) => join(folder, name);
const fileUrl = (name: string) => at(`file:${file(name)}`);
const good = async () => {
  await writeFile(
    file('good.yaml'),
    'thresholds: [{ metric_name: accuracy, critical_threshold: 0.7, warning_threshold: 0.8 }]',
  );
  return fileUrl('good.yaml');
};
const unreadable = (name: string, reason: string) => `The catalog ${file(name)} cannot be read: ${reason}`;

const files: Situation[] = [
  {
    situation: 'it does not exist',
    env: () => fileUrl('none.yaml'),
    found: () => unreadable('none.yaml', `ENOENT: no such file or directory, open '${file('none.yaml')}'`),
    todo: () => 'Correct the path in THRESHOLDS_API_URL, or create the file',
    follow: async () => {
      await writeFile(file('none.yaml'), 'thresholds: []');
      return fileUrl('none.yaml');
    },
  },
  {
    situation: 'it is a folder',
    before: () => mkdir(file('folder')),
    env: () => fileUrl('folder'),
    found: () => unreadable('folder', 'EISDIR: illegal operation on a directory, read'),
    todo: () => 'Set THRESHOLDS_API_URL to a file: this is a folder',
    follow: good,
  },
  {
    situation: 'it is not YAML',
    before: () => writeFile(file('bad.yaml'), 'thresholds: ['),
    env: () => fileUrl('bad.yaml'),
    found: () =>
      unreadable(
        'bad.yaml',
        'Flow sequence in block collection must be sufficiently indented and end with a ] at line 1, column 14:',
      ),
    todo: () => 'Correct the file: docs/catalog.md describes it',
    follow: async () => {
      await writeFile(file('bad.yaml'), 'thresholds: []');
      return fileUrl('bad.yaml');
    },
  },
];

describe('what is said about the file of a catalog', () => {
  it.each(files)('$situation', async (row) => {
    await expectAdvice(row, 'Catalog', check, () =>
      expectCatalogSaidWhileRunning(row, 'the catalog cannot be read', true),
    );
  });
});
