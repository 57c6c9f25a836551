import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkStore } from '../../../src/cli/validate.js';
import { loadSettings } from '../../../src/config/settings.js';
import { lockFolder } from '../../../src/storage/folder-lock.js';
import { type Env, expectAdvice, expectFailingStart, type Situation } from '../../support/advice.js';
import { freePort } from '../../support/redis-server.js';
import { describeS3, S3_CREDENTIALS } from '../../support/s3-server.js';
import { SilentServer } from '../../support/silent-server.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'advice-store-'));
  // Another user must be able to get there.
  await chmod(folder, 0o755);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const check = async (env: Env) => {
  const base = { MLFLOW_TRACKING_URI: 'http://127.0.0.1:9', STORAGE_DIR: join(folder, 'local') };
  return (await checkStore(loadSettings({ ...base, ...env }))).findings;
};

describeS3('what is said about the bucket', (server) => {
  let silent: SilentServer;
  let free: number;
  beforeAll(async () => {
    await server().bucket('good');
    silent = await SilentServer.start();
    free = await freePort();
  });
  afterAll(() => silent.close());
  afterEach(() => void Object.assign(process.env, S3_CREDENTIALS));

  const at = (more: Env = {}): Env => ({
    S3_BUCKET: 'good',
    S3_ENDPOINT: server().endpoint,
    S3_FORCE_PATH_STYLE: 'true',
    TIMEOUT: '1',
    MAX_RETRIES: '0',
    ...more,
  });
  const cannotPut = (reason: string, bucket = 'good') => `Cannot put _probe/… of s3://${bucket}: ${reason}`;
  const withKeys = (keys: Record<string, string>) => () => void Object.assign(process.env, keys);
  const right = () => {
    Object.assign(process.env, S3_CREDENTIALS);
    return at();
  };

  const rows: Situation[] = [
    {
      situation: 'nothing listens',
      env: () => at({ S3_ENDPOINT: `http://127.0.0.1:${free}` }),
      found: () => cannotPut(`connect ECONNREFUSED 127.0.0.1:${free}`),
      todo: () => 'Start the store, or correct S3_ENDPOINT',
      follow: right,
    },
    {
      situation: 'a server that stays silent',
      env: () => at({ S3_ENDPOINT: `http://127.0.0.1:${silent.port}` }),
      found: () => cannotPut('timed out after 1 s'),
      todo: () =>
        `Find out why the store does not answer, open the firewall to 127.0.0.1:${silent.port}, or correct S3_ENDPOINT`,
      follow: right,
    },
    {
      situation: 'no such host',
      env: () => at({ S3_ENDPOINT: 'http://s3.invalid', TIMEOUT: '30' }),
      found: () => cannotPut('getaddrinfo ENOTFOUND s3.invalid'),
      todo: () =>
        'Correct S3_ENDPOINT, or set S3_FORCE_PATH_STYLE=true if there is no host name for each bucket',
      follow: right,
    },
    {
      situation: 'there is no host name for each bucket',
      env: () =>
        at({
          S3_ENDPOINT: server().endpoint.replace('127.0.0.1', 'localhost'),
          S3_FORCE_PATH_STYLE: 'false',
          // Looking up a name may take longer.
          TIMEOUT: '30',
        }),
      found: () => cannotPut('getaddrinfo ENOTFOUND good.localhost'),
      todo: () =>
        'Correct S3_ENDPOINT, or set S3_FORCE_PATH_STYLE=true if there is no host name for each bucket',
      follow: right,
    },
    {
      situation: 'no such bucket',
      env: () => at({ S3_BUCKET: 'missing' }),
      found: () => cannotPut('404 NoSuchBucket: The specified bucket does not exist.', 'missing'),
      todo: () => 'Create the bucket, or correct S3_BUCKET',
      follow: async () => at({ S3_BUCKET: await server().bucket('missing') }),
    },
    {
      situation: 'a wrong secret key',
      before: withKeys({ AWS_SECRET_ACCESS_KEY: 'wrong' }),
      env: at,
      found: () =>
        cannotPut(
          '403 SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided. Check your key and signing method.',
        ),
      todo: () => 'Correct AWS_SECRET_ACCESS_KEY',
      follow: right,
    },
    {
      situation: 'a wrong key',
      before: withKeys({ AWS_ACCESS_KEY_ID: 'wrong' }),
      env: at,
      found: () => cannotPut('404 XAdminUserNotFound: No user exists with the provided access key ID.'),
      todo: () => 'Correct AWS_ACCESS_KEY_ID',
      follow: right,
    },
    {
      situation: 'another region',
      env: () => at({ AWS_REGION: 'eu-west-1' }),
      found: () =>
        cannotPut(
          '400 AuthorizationHeaderMalformed: The authorization header is malformed; the region "eu-west-1" is wrong; expecting "us-east-1"',
        ),
      todo: () => 'Set AWS_REGION to the region of the bucket',
      follow: () => at({ AWS_REGION: 'us-east-1' }),
    },
    {
      situation: 'TLS where there is none',
      env: () => at({ S3_ENDPOINT: server().endpoint.replace('http', 'https') }),
      found: () => cannotPut('wrong version number'),
      todo: () => `Set S3_ENDPOINT to ${server().endpoint}: the store does not speak TLS on this port`,
      follow: right,
    },
  ];

  it.each(rows)('$situation', async (row) => {
    await expectAdvice(row, 'Store', check, async () => {
      // That a name does not exist may be known later than a start waits.
      if (!/no (such )?host/.test(row.situation)) await expectFailingStart(row);
    });
  });
});

describe('what is said about the folder', () => {
  /** As a user without rights on what the test has created, if the tests run as root. */
  const asOther = async <T>(work: () => Promise<T>): Promise<T> => {
    const isRoot = process.geteuid?.() === 0;
    if (isRoot) process.seteuid?.(65_534);
    try {
      return await work();
    } finally {
      if (isRoot) process.seteuid?.(0);
    }
  };
  const dir = (name: string) => join(folder, name);
  const at = (name: string): Env => ({ STORAGE_DIR: dir(name) });
  const WRITABLE = 'Set STORAGE_DIR to a folder that this user can write to';
  const opened = (name: string) => async () => {
    await chmod(dir(name), 0o777);
    return at(name);
  };

  it.each<Situation>([
    {
      situation: 'it is a file',
      before: () => writeFile(dir('file'), ''),
      env: () => at('file'),
      found: () =>
        `Cannot lock ${dir('file')}: Error: ENOTDIR: not a directory, mkdir '${dir('file/.lock')}'`,
      todo: () => WRITABLE,
      follow: () => at('fresh'),
    },
    {
      situation: 'a part of its path is a file',
      before: () => writeFile(dir('part'), ''),
      env: () => at('part/store'),
      found: () =>
        `Cannot lock ${dir('part/store')}: Error: ENOTDIR: not a directory, mkdir '${dir('part/store/.lock')}'`,
      todo: () => WRITABLE,
      follow: () => at('fresh'),
    },
  ])('$situation', async (row) => {
    await expectAdvice(row, 'Store', check, () => expectFailingStart(row));
  });

  it.each<Situation>([
    {
      situation: 'this user may not write to it',
      before: () => mkdir(dir('closed'), { mode: 0o555 }),
      env: () => at('closed'),
      found: () =>
        `Cannot lock ${dir('closed')}: Error: EACCES: permission denied, mkdir '${dir('closed/.lock')}'`,
      todo: () => WRITABLE,
      follow: opened('closed'),
    },
    {
      situation: 'this user may not write to the lock of another one',
      before: async () => {
        await (await lockFolder(dir('foreign'))).release();
        await chmod(dir('foreign'), 0o777);
      },
      env: () => at('foreign'),
      found: () =>
        `Cannot lock ${dir('foreign')}: Error: IO Error: Cannot open file "${dir('foreign/.lock/owner.duckdb')}": Permission denied`,
      todo: () => WRITABLE,
      follow: () => at('own'),
    },
  ])('$situation', async (row) => {
    await mkdir(dir('own'), { recursive: true });
    await chmod(dir('own'), 0o777);
    await expectAdvice(row, 'Store', (env) => asOther(() => check(env)));
  });
});
