import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkAccess, checkPort } from '../../../src/cli/validate.js';
import { loadSettings } from '../../../src/config/settings.js';
import { createToken, digestOfToken } from '../../../src/http/admin-tokens.js';
import {
  type Env,
  expectAdvice,
  expectFailingStart,
  outcomeOf,
  type Situation,
} from '../../support/advice.js';
import { freePort } from '../../support/redis-server.js';

const BASE = { MLFLOW_TRACKING_URI: 'http://127.0.0.1:9' };
const port = async (env: Env) => [await checkPort(loadSettings({ ...BASE, ...env }))];
const access = async (env: Env) => [await checkAccess(loadSettings({ ...BASE, ...env }))];

let folder: string;
let other: Server;
let used: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'advice-start-'));
  other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  used = String((other.address() as { port: number }).port);
});
afterAll(async () => {
  other.close();
  await rm(folder, { recursive: true, force: true });
});

const OTHER_HOST = 'Set HOST to an address of this machine: 127.0.0.1, or 0.0.0.0 for all of them';
const ports: Situation[] = [
  {
    situation: 'HOST is an address of another machine',
    env: () => ({ HOST: '192.0.2.1', PORT: '0' }),
    found: () => 'Cannot listen on port 0 of 192.0.2.1: this machine has no such address',
    todo: () => OTHER_HOST,
    follow: () => ({ HOST: '127.0.0.1', PORT: '0' }),
  },
  {
    situation: 'HOST is a name that does not exist',
    env: () => ({ HOST: 'monitor.invalid', PORT: '0' }),
    found: () => 'Cannot listen on port 0 of monitor.invalid: there is no such host',
    todo: () => OTHER_HOST,
    follow: () => ({ HOST: '127.0.0.1', PORT: '0' }),
  },
];

describe('what is said about the port', () => {
  it.each(ports)('$situation', async (row) => {
    await expectAdvice(row, 'Port', port, () => expectFailingStart(row));
  });

  it('another process listens there', async () => {
    const row: Situation = {
      situation: '',
      env: () => ({ HOST: '127.0.0.1', PORT: used }),
      found: () => `Cannot listen on port ${used} of 127.0.0.1: it is already in use`,
      todo: () => 'Stop the other process, or choose another port with PORT (in the demo: --port)',
      follow: () => ({}),
    };
    // The service itself may be the other process.
    const [finding] = await port(row.env());
    expect(finding).toEqual({
      state: 'note',
      what: 'Port',
      found: row.found(),
      todo: 'This is fine while the service is running.',
    });
    await expectFailingStart(row);
    expect(outcomeOf(await port({ PORT: String(await freePort()) }))).toEqual({ code: 0, lines: [] });
  });
});

const file = (name: string) => join(folder, name);
const setting = (name: string): Env => ({ ADMIN_TOKEN_SHA256_FILE: file(name) });
const cannotRead = (name: string, reason: string) =>
  `The admin tokens of ${file(name)} (ADMIN_TOKEN_SHA256_FILE) cannot be read: ${reason}`;
const CORRECT =
  'Correct the file: each line has the SHA-256 of a token and a name, as `mlflow-monitor token` writes it';
const line = () => `${digestOfToken(createToken())} alice\n`;
const corrected = (name: string) => async () => {
  await writeFile(file(name), line());
  return setting(name);
};

const tokens: Situation[] = [
  {
    situation: 'it does not exist',
    env: () => setting('none'),
    found: () => cannotRead('none', `ENOENT: no such file or directory, open '${file('none')}'`),
    todo: () =>
      `Correct ADMIN_TOKEN_SHA256_FILE, or create the file: mlflow-monitor token <name> --file ${file('none')}`,
    follow: corrected('none'),
  },
  {
    situation: 'it is a folder',
    before: () => mkdir(file('folder')),
    env: () => setting('folder'),
    found: () => cannotRead('folder', 'EISDIR: illegal operation on a directory, read'),
    todo: () => 'Set ADMIN_TOKEN_SHA256_FILE to a file: this is a folder',
    follow: corrected('tokens'),
  },
  {
    situation: 'it holds a token in place of its SHA-256',
    before: () => writeFile(file('plain'), 'my-secret-token alice\n'),
    env: () => setting('plain'),
    found: () => cannotRead('plain', 'line 1 does not start with a SHA-256 of 64 hex digits'),
    todo: () => CORRECT,
    follow: corrected('plain'),
  },
  {
    situation: 'it holds the SHA-256 of an empty text',
    before: () => writeFile(file('empty-text'), `${digestOfToken('')} -\n`),
    env: () => setting('empty-text'),
    found: () =>
      cannotRead(
        'empty-text',
        'line 1 is the SHA-256 of an empty text: everybody would be admin. Create a token with `mlflow-monitor token`',
      ),
    todo: () => CORRECT,
    follow: corrected('empty-text'),
  },
  {
    situation: 'it holds no token',
    before: () => writeFile(file('empty'), '# nobody\n'),
    env: () => setting('empty'),
    found: () => cannotRead('empty', 'it holds no token'),
    todo: () => CORRECT,
    follow: corrected('empty'),
  },
];

describe('what is said about the file of admin tokens', () => {
  it.each(tokens)('$situation', async (row) => {
    await expectAdvice(row, 'Access', access, () => expectFailingStart(row));
  });
});
