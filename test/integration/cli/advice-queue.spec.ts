import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { Redis } from 'ioredis';
import { checkQueue } from '../../../src/cli/validate.js';
import { loadSettings, SettingsError } from '../../../src/config/settings.js';
import { type Env, expectAdvice, expectFailingStart, type Situation } from '../../support/advice.js';
import { findRedisServer, freePort, type RedisServer, startRedis } from '../../support/redis-server.js';
import { SilentServer } from '../../support/silent-server.js';
import { skipSuite } from '../../support/skip.js';

const BASE = { MLFLOW_TRACKING_URI: 'http://127.0.0.1:9' };
const check = (env: Env) => checkQueue(loadSettings({ ...BASE, ...env }), undefined);

const program = findRedisServer();
if (program) {
  let redis: RedisServer;
  let admin: Redis;
  let host: string;
  let free: number;
  let silent: SilentServer;

  beforeAll(async () => {
    redis = await startRedis(program, ['--requirepass', 'p@ss/w']);
    host = new URL(redis.url).host;
    admin = new Redis(`redis://:p%40ss%2Fw@${host}`);
    await admin.call('ACL', 'SETUSER', 'few', 'on', '>x', '~other:*', '+@all');
    await admin.call('ACL', 'SETUSER', 'noinfo', 'on', '>x', '~*', '+@all', '-info');
    await admin.call('ACL', 'SETUSER', 'noscript', 'on', '>x', '~*', '+@all', '-eval', '-evalsha');
    free = await freePort();
    silent = await SilentServer.start();
  });
  afterAll(async () => {
    admin.disconnect();
    await silent.close();
    await redis.stop();
  });

  const right = (): Env => ({ REDIS_URL: `redis://:p%40ss%2Fw@${host}` });
  const cannotConnect = (address: string, reason: string): string =>
    `Cannot connect to the queue at ${address} (REDIS_URL): ${reason}`;
  /** A user who lacks a right. The rules of the advice are set as they are written. */
  const denied = (user: string, reason: string, rules: string): Situation => ({
    situation: `the user ${user} has too few rights`,
    env: () => ({ REDIS_URL: `redis://${user}:x@${host}` }),
    found: () => `Redis at redis://${host} (REDIS_URL) denies what the queues need: ${reason}`,
    todo: () => `Allow the user of REDIS_URL what the queues need: redis-cli ACL SETUSER ${user} ${rules}`,
    follow: async () => {
      await admin.call('ACL', 'SETUSER', user, ...rules.replaceAll("'", '').split(' '));
      return { REDIS_URL: `redis://${user}:x@${host}` };
    },
  });
  const rows: Situation[] = [
    {
      situation: 'nothing listens',
      env: () => ({ REDIS_URL: `redis://127.0.0.1:${free}` }),
      found: () => cannotConnect(`redis://127.0.0.1:${free}`, `connect ECONNREFUSED 127.0.0.1:${free}`),
      todo: () => 'Start Redis or Valkey, or correct REDIS_URL',
      follow: right,
    },
    {
      situation: 'a server that stays silent',
      env: () => ({ REDIS_URL: `redis://127.0.0.1:${silent.port}` }),
      found: () => cannotConnect(`redis://127.0.0.1:${silent.port}`, 'no response within 5 s'),
      todo: () =>
        `Correct the host and port in REDIS_URL, or open the firewall to 127.0.0.1:${silent.port}; if Redis speaks TLS on this port, begin REDIS_URL with rediss:`,
      follow: right,
    },
    {
      situation: 'no such host',
      env: () => ({ REDIS_URL: 'redis://redis.invalid:6379' }),
      found: () => cannotConnect('redis://redis.invalid:6379', 'getaddrinfo ENOTFOUND redis.invalid'),
      todo: () => 'Correct the host name in REDIS_URL',
      follow: right,
    },
    {
      situation: 'a wrong password',
      env: () => ({ REDIS_URL: `redis://:wrong@${host}` }),
      found: () =>
        cannotConnect(`redis://${host}`, 'WRONGPASS invalid username-password pair or user is disabled.'),
      todo: () =>
        'Correct the user name and password in REDIS_URL. Percent-encode their special characters, such as %2F for /',
      follow: right,
    },
    {
      situation: 'TLS where there is none',
      env: () => ({ REDIS_URL: `rediss://:p%40ss%2Fw@${host}` }),
      found: () =>
        cannotConnect(
          `rediss://${host}`,
          'Client network socket disconnected before secure TLS connection was established',
        ),
      todo: () => `Set REDIS_URL to redis://${host}: Redis does not speak TLS on this port`,
      follow: right,
    },
    denied('few', 'keys that begin with {mlflow-monitor', "'~{mlflow-monitor*'"),
    denied('noinfo', 'the command info', '+@all -@dangerous +info'),
    denied('noscript', 'the command eval', '+@all -@dangerous +info'),
  ];

  describe('what is said about Redis', () => {
    it.each(rows)('$situation', (row) =>
      expectAdvice(row, 'Queue', check, async () => {
        // Redis may as well keep such a connection open.
        if (!row.situation.startsWith('TLS')) await expectFailingStart(row);
      }),
    );

    it('a server that goes silent after it has responded to PING', async () => {
      const relay = createServer((client) => {
        const server = connect(Number(new URL(redis.url).port), '127.0.0.1');
        let isSilent = false;
        client.on('data', (chunk) => {
          if (!isSilent) server.write(chunk);
          isSilent ||= chunk.toString().includes('ping');
        });
        server.pipe(client);
        for (const socket of [client, server]) socket.on('error', () => socket.destroy());
        client.on('close', () => server.destroy());
      }).listen(0, '127.0.0.1');
      await once(relay, 'listening');
      const address = `127.0.0.1:${(relay.address() as { port: number }).port}`;
      await expectFailingStart({
        situation: '',
        env: () => ({ REDIS_URL: `redis://:p%40ss%2Fw@${address}` }),
        found: () => cannotConnect(`redis://${address}`, 'no response within 10 s'),
        todo: () =>
          `Correct the host and port in REDIS_URL, or open the firewall to ${address}; if Redis speaks TLS on this port, begin REDIS_URL with rediss:`,
        follow: right,
      });
      relay.close();
    });

    it('no password, where one is needed', async () => {
      const [finding] = await check({ REDIS_URL: `redis://${host}` });
      expect(finding).toMatchObject({
        state: 'change',
        todo: `Put the password into REDIS_URL, as in redis://:password@${host}.`,
      });
    });
  });
} else {
  skipSuite('advice about Redis', 'redis-server or valkey-server on PATH');
}

it.each(['redis://:geh/eim@host:6379', 'redis://user/geheim:x@host', 'redis://geheim#x@host:6379'])(
  'a password that is not percent-encoded is refused and not printed: %s',
  (REDIS_URL) => {
    const load = () => loadSettings({ ...BASE, REDIS_URL });
    expect(load).toThrow(SettingsError);
    expect(load).toThrow(
      /REDIS_URL is "redis:\/\/\*\*\*@host[^"]*": expected a URL such as redis:\/\/localhost:6379; percent-encode \/ \? # % and @ in the user name and password/,
    );
    expect(load).not.toThrow(/geh/);
  },
);
