import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Queue, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { openQueueConnection } from '../../../src/queue/open-queue.js';
import { queuePrefixOf } from '../../../src/queue/queue-connection.js';
import { evictionOf } from '../../../src/queue/redis-info.js';
import { findProgram } from '../../support/find-program.js';
import { Program } from '../../support/program.js';
import { findRedisServer, startRedis } from '../../support/redis-server.js';
import { startCluster, startSentinel } from '../../support/redis-topologies.js';
import { skipSuite } from '../../support/skip.js';
import { completed } from './queue-fixture.js';

/** With characters that have a meaning in URLs. */
const PASSWORD = 'p@ss:w/or?d#1%';
const PREFIX = queuePrefixOf('test');

/** Adds three jobs with priorities and processes them. @param between is awaited before they are processed */
async function processesJobs(url: string, between: () => Promise<void> = async () => undefined) {
  const connection = await openQueueConnection(url, PREFIX);
  const queues = ['ingestion', 'aggregation'].map((name) => new Queue(name, connection.options));
  const workers: Worker[] = [];
  try {
    for (const queue of queues) {
      queue.on('error', () => undefined);
      await queue.add('later', {}, { priority: 5 });
      await queue.add('soon', {}, { delay: 1 });
      await queue.add('first', {});
    }
    await between();
    for (const { name } of queues) workers.push(new Worker(name, async () => undefined, connection.options));
    for (const worker of workers) worker.on('error', () => undefined);
    const names = await completed(workers, 6);
    expect(names.sort()).toEqual(['first', 'first', 'later', 'later', 'soon', 'soon']);
    expect(await connection.otherPrefixes()).toEqual([]);
    await connection.flush();
    expect(await queues[0]?.getCompletedCount()).toBe(0);
  } finally {
    for (const each of [...workers, ...queues]) await each.close();
    await connection.close();
  }
}

const program = findRedisServer();
if (program) {
  describe('queues on real servers', () => {
    it('a cluster of three nodes, named by one of them', async () => {
      const cluster = await startCluster(program);
      try {
        await processesJobs(cluster.url);
      } finally {
        await cluster.stop();
      }
    });

    it('the master that a Sentinel names, before and after a failover', async () => {
      const sentinel = await startSentinel(program, PASSWORD);
      try {
        await processesJobs(sentinel.url);
        await processesJobs(sentinel.url, () => sentinel.failOver());
      } finally {
        await sentinel.stop();
      }
    });

    it('a user with a password of special characters, who may only use keys of the queue', async () => {
      const commands = ['+@all', '-@dangerous', '+info', '+flushdb'];
      const user = ['monitor', 'on', `>${PASSWORD}`, '~{mlflow-monitor*', '&*', ...commands];
      const server = await startRedis(program, ['--user', ...user]);
      try {
        const { host } = new URL(server.url);
        await processesJobs(`redis://monitor:${encodeURIComponent(PASSWORD)}@${host}`);
      } finally {
        await server.stop();
      }
    });

    it.each([
      ['one server', startRedis],
      ['a cluster', startCluster],
    ])('%s says whether it evicts keys, also after its start', async (_, start) => {
      const server = await start(program, []);
      const connection = await openQueueConnection(server.url, PREFIX);
      try {
        expect(evictionOf(await connection.info())).toEqual({ mayEvict: false, evictedKeys: 0 });
        const redis = connection.options.connection as Redis;
        await redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
        expect(evictionOf(await connection.info())).toEqual({ mayEvict: true, evictedKeys: 0 });
      } finally {
        await connection.close();
        await server.stop();
      }
    });

    it.each([
      ['one server', startRedis],
      ['a node of a cluster', startCluster],
    ])('%s that evicts keys is refused with a sentence', async (_, start) => {
      const server = await start(program, ['--maxmemory-policy', 'allkeys-lru']);
      try {
        await expect(openQueueConnection(server.url, PREFIX)).rejects.toMatchObject({
          code: 'queue_evicts',
          retryable: false,
          message: expect.stringMatching(
            /^Redis at redis:\/\/127\.0\.0\.1:\d+ \(REDIS_URL\) has maxmemory-policy allkeys-lru: it deletes jobs/,
          ),
          advice: expect.stringContaining('Set maxmemory-policy noeviction'),
        });
      } finally {
        await server.stop();
      }
    });

    it('a cluster that is down is named in the error, without the password', async () => {
      const cluster = await startCluster(program);
      await cluster.stop();
      await expect(
        openQueueConnection(cluster.url.replace('//', '//:geheim@'), PREFIX),
      ).rejects.toMatchObject({
        code: 'queue_unreachable',
        message: expect.not.stringContaining('geheim'),
      });
    });
  });
} else {
  skipSuite('queues on real servers', 'redis-server or valkey-server on PATH');
}

const openssl = findProgram('openssl');
if (program && openssl) {
  it('TLS: a certificate of a private authority, which NODE_EXTRA_CA_CERTS names', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tls-'));
    const [key, certificate] = ['server.key', 'server.crt'].map((name) => join(folder, name)) as [
      string,
      string,
    ];
    const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const files = ['-nodes', '-keyout', key, '-out', certificate, '-days', '1'];
    await promisify(execFile)(openssl, ['req', '-x509', '-newkey', 'rsa:2048', ...files, ...names]);
    const tls = ['--tls-cert-file', certificate, '--tls-key-file', key, '--tls-ca-cert-file', certificate];
    const server = await startRedis(
      program,
      [...tls, '--tls-auth-clients', 'no', '--tls-replication', 'yes'],
      'tls',
    );
    const validate = async (env: Record<string, string>) => {
      const command = Program.start(['validate'], {
        MLFLOW_TRACKING_URI: 'http://127.0.0.1:9',
        MLFLOW_HTTP_REQUEST_MAX_RETRIES: '0',
        STORAGE_DIR: join(folder, 'data'),
        REDIS_URL: server.url,
        ...env,
      });
      await command.exited;
      return command.lines.join('\n');
    };
    try {
      expect(server.url).toMatch(/^rediss:/);
      expect(await validate({ NODE_EXTRA_CA_CERTS: certificate })).toMatch(/ok +Queue +(Redis|Valkey)/);
      expect(await validate({})).toMatch(/change +Queue +.*self-signed certificate/);
    } finally {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    }
  });
} else {
  skipSuite('queues with TLS', 'redis-server or valkey-server, and openssl, on PATH');
}
