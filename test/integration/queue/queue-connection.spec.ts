import { inspect } from 'node:util';
import { Queue } from 'bullmq';
import { openQueueConnection } from '../../../src/queue/open-queue.js';
import { queuePrefixOf } from '../../../src/queue/queue-connection.js';
import { describeRedis, freePort } from '../../support/redis-server.js';

const SECRET = 'g3heim';
const PREFIX = queuePrefixOf('test');

describe('an unreachable queue', () => {
  it('is named in the error, without its password', async () => {
    const address = `127.0.0.1:${await freePort()}`;
    const opening = openQueueConnection(`redis://user:${SECRET}@${address}`, PREFIX);
    const error = await opening.catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'queue_unreachable', retryable: true });
    expect(inspect(error, { depth: 9 })).toContain(`redis://${address}`);
    expect(inspect(error, { depth: 9 })).toContain('ECONNREFUSED');
    expect(inspect(error, { depth: 9 })).not.toContain(SECRET);
  });
});

describeRedis('a queue on Redis', (server) => {
  it('reports a wrong password, without the password', async () => {
    const opening = openQueueConnection(server().url.replace('//', `//nobody:${SECRET}@`), PREFIX);
    const error = await opening.catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'queue_unreachable' });
    expect(inspect(error, { depth: 9 })).toContain('WRONGPASS');
    expect(inspect(error, { depth: 9 })).not.toContain(SECRET);
  });

  it('keeps installations apart, whose job ids are the same, and lists the others', async () => {
    const [staging, production] = await Promise.all(
      ['staging', 'production'].map((name) => openQueueConnection(server().url, queuePrefixOf(name))),
    );
    if (!staging || !production) throw new Error('not connected');
    const queues = [staging, production].map(({ options }) => new Queue('ingestion', options));
    try {
      expect(await staging.otherPrefixes()).toEqual([]);
      for (const queue of queues) await queue.add('plan', {}, { jobId: 'bootstrap-1.all.plan.1' });
      expect(await Promise.all(queues.map((queue) => queue.getWaitingCount()))).toEqual([1, 1]);
      expect(await staging.otherPrefixes()).toEqual(['{mlflow-monitor-production}']);
    } finally {
      for (const queue of queues) await queue.close();
      await staging.close();
      await production.close();
    }
  });
});
